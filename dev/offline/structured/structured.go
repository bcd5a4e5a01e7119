// Package structured writes the final answer of the offline model as JSON that fits a schema. The
// schema says what there is to fill in, the facts of the rules fill it, and what they do not know is
// the emptiest value that fits: nothing is invented.
//
// A value fits because of how it is built, not because it is checked afterwards: schemas are foreign
// input, and a validator that follows their references may never come back. What this package does
// not understand (see beyond) it declines, and the answer stays a text.
package structured

import (
	"encoding/json"
	"strings"

	"steward/dev/offline/dialog"
)

// maxAnswer bounds the answer, and with it the work of building one, in bytes.
const maxAnswer = 1 << 20

// Answer returns JSON that fits the schema. Its strings for prose hold the text; if the schema has
// none of these, the first free string does. Ok is false when no such value can be built.
func Answer(schema json.RawMessage, text string, facts dialog.Facts) (answer string, ok bool) {
	root, err := read(schema)
	if err != nil {
		return "", false
	}
	answer, ok = build(root, text, facts, false)
	if ok && !strings.Contains(answer, dialog.Prefix) {
		if marked, ok := build(root, text, facts, true); ok {
			return marked, true
		}
	}
	return answer, ok
}

func build(root schema, text string, facts dialog.Facts, carry bool) (string, bool) {
	b := &builder{root: root, carry: carry, room: maxAnswer, active: map[string]bool{"#": true}}
	m, ok := b.value(root, place{text: text, facts: facts})
	if !ok {
		return "", false
	}
	var out strings.Builder
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(m.value); err != nil {
		return "", false
	}
	return strings.TrimSuffix(out.String(), "\n"), true
}
