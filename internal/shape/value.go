package shape

import (
	"bytes"
	"encoding/json"

	"steward/internal/fault"
)

// depth is how deep a document is nested, as far as it is JSON.
func depth(raw []byte) (deepest int) {
	level := 0
	for in := json.NewDecoder(bytes.NewReader(raw)); ; {
		token, err := in.Token()
		if err != nil {
			return deepest // the end, or not JSON: whoever reads it next says so
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			level++
			deepest = max(deepest, level)
		case json.Delim('}'), json.Delim(']'):
			level--
		}
	}
}

// admits refuses a value that would take too much work.
func (b bound) admits(value any) error {
	l := load{bound: b, left: maxWork / b.cost}
	if !l.carry(value, 1, 1) {
		return fault.New(fault.Invalid, "the value is nested too deep, or too large, for this schema")
	}
	return nil
}

// load adds up the work of a value.
type load struct {
	bound
	left int // visits
}

// carry takes off what a value takes that is visited so many times: first for itself, so that visits of what is inside
// cannot overflow. Eight bytes of text count like one more visit: patterns read them, and the library writes them
// into each of its errors.
func (l *load) carry(value any, level, visits int) bool {
	if !l.take(visits) || l.recursive && level*l.height > maxFrames {
		return false
	}
	inside := visits * l.growth
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			if !l.take(visits*(len(name)/8)) || !l.carry(member, level+1, inside) {
				return false
			}
		}
	case []any:
		for _, item := range v {
			if !l.carry(item, level+1, inside) {
				return false
			}
		}
	case string:
		return l.take(visits * (len(v) / 8))
	}
	return true
}

func (l *load) take(visits int) bool {
	l.left -= visits
	return l.left >= 0
}
