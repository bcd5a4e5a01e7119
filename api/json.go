package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
)

// formats is JSON alone. Huma shows a decoder's error to the caller, so decode words them: the standard
// library's name Go types and repeat values.
func formats() map[string]huma.Format {
	format := huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: decode}
	return map[string]huma.Format{"application/json": format, "json": format}
}

func decode(data []byte, v any) error {
	if !utf8.Valid(data) {
		return errors.New("not valid UTF-8") // RFC 8259 §8.1
	}
	err := json.Unmarshal(data, v)
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("not valid JSON at byte %d", e.Offset)
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && e.Field != "" {
		return fmt.Errorf("%s: wrong type or out of range", e.Field)
	}
	return errors.New("not valid JSON for this call")
}

// object is a JSON object as the caller wrote it: the order of its members may mean something.
type object []byte

// Schema is any object.
func (object) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
}

// UnmarshalJSON keeps the text.
func (o *object) UnmarshalJSON(text []byte) error {
	*o = bytes.Clone(text)
	return nil
}

// MarshalJSON is the text.
func (o object) MarshalJSON() ([]byte, error) { return o, nil }
