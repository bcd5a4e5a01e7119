package mcp

import (
	"bytes"
	"errors"
	"io"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
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
// first to one and the last to another (T-39), and a value may follow the one that was read. It keeps no values, so it
// costs little beside reading them.
func strict(body []byte) error {
	if !utf8.Valid(body) {
		return errNotJSON
	}
	// Half a character in escapes ("\ud83d") is what programs send that cut a text: every reader of ours takes it alike.
	in := jsontext.NewDecoder(bytes.NewBuffer(body), jsontext.AllowInvalidUTF8(true))
	for values := 0; ; {
		_, err := in.ReadToken()
		switch {
		case errors.Is(err, io.EOF) && values == 1:
			return nil
		case errors.Is(err, jsontext.ErrDuplicateName):
			return errTwice
		case err != nil:
			return errNotJSON
		case in.StackDepth() > maxNesting:
			return errDeep
		case in.StackDepth() == 0:
			values++
		}
	}
}
