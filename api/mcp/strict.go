package mcp

import (
	"bytes"
	"encoding/json"
	"errors"
	"unicode/utf8"
)

// maxNesting is how deep a message may nest.
const maxNesting = 200

var (
	errNotJSON  = errors.New("not one valid JSON value in UTF-8")
	errTwice    = errors.New("a member stands twice in one object")
	errDeep     = errors.New("nested too deeply")
	errNoObject = errors.New("is not an object")
	errSpelling = errors.New("has a member in another spelling than the specification's")
)

// strict refuses JSON that two readers could understand differently: a member that stands twice in one object is the
// first to one and the last to another (T-39). It keeps no values, so it costs little beside reading them.
func strict(body []byte) error {
	if !utf8.Valid(body) || !json.Valid(body) {
		return errNotJSON
	}
	in := json.NewDecoder(bytes.NewReader(body))
	in.UseNumber()
	var open []*level
	for {
		token, err := in.Token()
		if err != nil {
			return nil //nolint:nilerr // the end: the text is valid as a whole
		}
		delim, isDelim := token.(json.Delim)
		if isDelim && (delim == '}' || delim == ']') {
			open = open[:len(open)-1]
			continue
		}
		if len(open) > 0 {
			if err := open[len(open)-1].take(token); err != nil {
				return err
			}
		}
		if !isDelim {
			continue
		}
		if len(open) == maxNesting {
			return errDeep
		}
		open = append(open, &level{object: delim == '{', atName: true})
	}
}

// level is one object or array that has begun and not ended.
type level struct {
	object bool
	atName bool // an object: what comes next is a member's name
	names  []string
	seen   map[string]bool // instead of names once there are many
}

func (l *level) take(token json.Token) error {
	if !l.object {
		return nil
	}
	name, isName := token.(string)
	if atName := l.atName; !atName || !isName {
		l.atName = true
		return nil
	}
	l.atName = false
	return l.add(name)
}

// many is from how many members on an object's names are kept in a map.
const many = 16

func (l *level) add(name string) error {
	if l.seen == nil && len(l.names) == many {
		l.seen = make(map[string]bool, 2*many)
		for _, n := range l.names {
			l.seen[n] = true
		}
	}
	if l.seen != nil {
		if l.seen[name] {
			return errTwice
		}
		l.seen[name] = true
		return nil
	}
	for _, n := range l.names {
		if n == name {
			return errTwice
		}
	}
	l.names = append(l.names, name)
	return nil
}
