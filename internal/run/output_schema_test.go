package run

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestOutputSchemas(t *testing.T) {
	t.Parallel()
	nested := func(levels int) string {
		return `{"type":"object"` + strings.Repeat(`,"not":{"title":"x"`, levels-1) + strings.Repeat("}", levels)
	}
	for _, tt := range []struct{ name, schema, complaint string }{
		{"empty object", `{"type":"object"}`, ""},
		{"as a model gets it", `{"type":"object","properties":{"total":{"type":"number"}},"required":["total"],"additionalProperties":false}`, ""},
		{"own definitions", `{"type":"object","properties":{"a":{"$ref":"#/$defs/a"}},"$defs":{"a":{"type":"string"}}}`, ""},
		{"recursive", `{"type":"object","properties":{"a":{"$ref":"#"}}}`, ""},
		{"as deep as may be", nested(64), ""},
		{"too deep", nested(65), "64 levels"},
		{"too long", `{"type":"object","title":"` + strings.Repeat("x", maxSchemaBytes) + `"}`, "65536 bytes"},
		{"not JSON", `{"type":`, "not a JSON Schema"},
		{"two documents", `{"type":"object"}{}`, "not a JSON Schema"},
		{"a member twice", `{"type":"object","type":"string"}`, "one JSON object"},
		{"a list", `[]`, "not a JSON Schema"},
		{"no type", `{}`, `"type"`},
		{"a string", `{"type":"string"}`, `"type"`},
		{"an object or nothing", `{"type":["object","null"]}`, `"type"`},
		{"everything", `true`, `"type"`},
		{"a type that is none", `{"type":"object","properties":{"a":{"type":7}}}`, "not a JSON Schema"},
		{"remote reference", `{"type":"object","$ref":"https://evil.test/s"}`, "another document"},
		{"file reference", `{"type":"object","properties":{"a":{"$ref":"file:///etc/passwd"}}}`, "another document"},
		{"relative reference", `{"type":"object","$id":"https://evil.test/","properties":{"a":{"$ref":"o.json"}}}`, "another document"},
		{"reference to nothing", `{"type":"object","properties":{"a":{"$ref":"#/$defs/b"}}}`, "refers to nothing"},
		{"itself", `{"type":"object","$ref":"#"}`, "without end"},
		{"pattern that is none", `{"type":"object","properties":{"a":{"pattern":"("}}}`, "RE2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := checkOutputSchema(json.RawMessage(tt.schema))
			if tt.complaint == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.complaint)
			require.NotContains(t, err.Error(), "evil", "what is refused is not repeated")
		})
	}
}

func FuzzOutputSchema(f *testing.F) {
	f.Add(`{"type":"object","properties":{"a":{"$ref":"#"}}}`)
	f.Add(`{"type":"object","not":{"not":{"anyOf":[true,{"pattern":"a{1000}"}]}}}`)
	f.Add(`[[[[[[`)
	f.Fuzz(func(t *testing.T, schema string) {
		began := time.Now()
		_ = checkOutputSchema(json.RawMessage(schema))
		require.Less(t, time.Since(began), 5*time.Second, "a request cannot keep a processor busy")
	})
}
