package api

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

func TestParameters(t *testing.T) {
	t.Parallel()
	for schema, want := range map[string]map[string]string{
		`{"properties":{"query":{"type":"string","description":"SQL query"},"limit":{"type":"integer"}}}`: {"query": "string (SQL query)", "limit": "integer"},
		`{"properties":{"to":{"type":"array","items":{"type":"string"},"description":"receivers"}}}`:      {"to": "array of string (receivers)"},
		`{"properties":{"a":{"type":["string","null"]},"b":{"type":"array"},"c":{"$ref":"#/x"}}}`:         {"a": "string or null", "b": "array", "c": "any"},
		`{"properties":{"a":true,"b":false,"c":{"type":7,"description":[]},"d":{"type":"array","items":true}}}`: {
			"a": "any", "b": "any", "c": "any", "d": "array of any",
		},
		`{"properties":{"a":{"description":"red \u001b[31m\u202e"}}}`: {"a": "any (red )"},
		`{"properties":[]}`: {}, `{}`: {}, `true`: {}, ``: {}, `[`: {},
	} {
		require.Empty(t, cmp.Diff(want, parameters(json.RawMessage(schema))), schema)
	}
}

func FuzzParameters(f *testing.F) {
	f.Add(`{"properties":{"query":{"type":"string","description":"SQL query"},"x":{"type":["a",1],"items":{"items":{"type":"array"}}}}}`)
	f.Add(`{"properties":{"a":{"items":[1,2],"type":"array"},"":null}}`)
	f.Fuzz(func(t *testing.T, schema string) {
		for _, said := range parameters(json.RawMessage(schema)) {
			require.NotEmpty(t, said)
			require.True(t, utf8.ValidString(said))
		}
	})
}

func TestHostOf(t *testing.T) {
	t.Parallel()
	for place, want := range map[string]string{
		"analytics.db.example.com:5432/campaigns": "analytics.db.example.com", "[::1]:6379": "::1", "db.test": "db.test", "db.test/x": "db.test",
		"a.test:27017,b.test:27017/x": "a.test:27017,b.test:27017", "": "",
	} {
		require.Equal(t, want, hostOf(place), place)
	}
}
