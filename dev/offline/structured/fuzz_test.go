package structured_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/stretchr/testify/require"

	"steward/dev/offline/structured"
)

// Schemas are foreign: none may bring the model down or keep it busy, an answer is bounded and always
// the same, and it fits as another implementation sees it.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"type":"object","properties":{"total":{"type":"number"},"summary":{"type":"string"}},"required":["total","summary"]}`,
		`{"type":"object","$defs":{"a":{"enum":[1,"b",null]}},"properties":{"x":{"$ref":"#/$defs/a"},"y":{"anyOf":[{"type":"null"},{"$ref":"#"}]}},"required":["x"]}`,
		`{"oneOf":[{"const":"a"},{"type":"array","items":{"type":"string","maxLength":40},"minItems":2,"uniqueItems":true}]}`,
		`{"type":["integer","null"],"minimum":-1e999,"multipleOf":0.3,"exclusiveMaximum":7}`,
		`{"type":"string","pattern":"^(a{100}){9}$","minLength":1e9,"format":"date"}`,
		`{"properties":{"":{"default":{"a":[1]}},"items":{"type":"array","items":{}}},"minProperties":2,"additionalProperties":false}`,
		doubling(12), `{"$ref":"#/properties/~0~1","properties":{"~/":true}}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, schema string) {
		got, ok := structured.Answer(json.RawMessage(schema), text, facts())
		again, same := structured.Answer(json.RawMessage(schema), text, facts())
		require.Equal(t, ok, same)
		require.Equal(t, got, again)
		require.Less(t, len(got), 8<<20)
		require.True(t, !ok || json.Valid([]byte(got)))
		if schema, resolved, ok := understood(schema); ok {
			if got, ok := structured.Answer(schema, text, facts()); ok {
				var v any
				require.NoError(t, json.Unmarshal([]byte(got), &v))
				require.NoError(t, resolved.Validate(v), got)
			}
		}
	})
}

// understood is a schema as the other implementation reads and writes it: it takes keywords in any
// case, and the last of two. Ok is false for those on which it may turn in a circle.
func understood(text string) (schema json.RawMessage, resolved *jsonschema.Resolved, ok bool) {
	var s jsonschema.Schema
	if json.Unmarshal([]byte(text), &s) != nil {
		return nil, nil, false
	}
	schema, err := json.Marshal(&s)
	if err != nil || strings.Contains(string(schema), `"$ref"`) || strings.Contains(string(schema), `"$dynamicRef"`) {
		return nil, nil, false
	}
	resolved, err = s.Resolve(nil)
	return schema, resolved, err == nil
}
