package dialog

import (
	"encoding/json"
	"strings"
)

// maxDepth bounds the recursion on foreign input.
const maxDepth = 100

// salvage reads JSON that ends too early and returns what is whole, closing what is open. A text
// that was cut in the middle keeps its beginning. Ok is false when nothing was saved.
func salvage(text string) (value any, ok bool) {
	s := salvager{text: text, decoder: json.NewDecoder(strings.NewReader(text))}
	s.decoder.UseNumber()
	value, _ = s.value(0)
	switch v := value.(type) {
	case map[string]any:
		return v, len(v) > 0
	case []any:
		return v, len(v) > 0
	default:
		return nil, false
	}
}

type salvager struct {
	text    string
	decoder *json.Decoder
}

// value reads one value. Whole is false as soon as the input ran out; value may still be useful.
func (s *salvager) value(depth int) (value any, whole bool) {
	token, err := s.decoder.Token()
	if err != nil || depth > maxDepth {
		return s.cutText(), false
	}
	switch token {
	case json.Delim('{'):
		return s.object(depth)
	case json.Delim('['):
		return s.array(depth)
	default:
		return token, true
	}
}

func (s *salvager) object(depth int) (object map[string]any, whole bool) {
	object = map[string]any{}
	for s.decoder.More() {
		token, err := s.decoder.Token()
		key, isText := token.(string)
		if err != nil || !isText {
			return object, false
		}
		value, whole := s.value(depth + 1)
		if whole || value != nil {
			object[key] = value
		}
		if !whole {
			return object, false
		}
	}
	_, err := s.decoder.Token()
	return object, err == nil
}

func (s *salvager) array(depth int) (array []any, whole bool) {
	array = []any{}
	for s.decoder.More() {
		value, whole := s.value(depth + 1)
		if whole || value != nil {
			array = append(array, value)
		}
		if !whole {
			return array, false
		}
	}
	_, err := s.decoder.Token()
	return array, err == nil
}

// cutText returns the beginning of a text whose end is missing, nil when something else was cut.
func (s *salvager) cutText() any {
	rest := strings.TrimLeft(s.text[min(int(s.decoder.InputOffset()), len(s.text)):], " \t\r\n:,")
	if !strings.HasPrefix(rest, `"`) {
		return nil
	}
	if end := strings.IndexFunc(rest, func(r rune) bool { return r < ' ' }); end >= 0 {
		rest = rest[:end] // a raw line break: what follows is the note about the cut
	}
	const longestEscape = 12 // two \uXXXX of a surrogate pair
	for trim := 0; trim <= longestEscape && trim < len(rest); trim++ {
		var text string
		if json.Unmarshal([]byte(rest[:len(rest)-trim]+`"`), &text) == nil && text != "" {
			return text
		}
	}
	return nil
}
