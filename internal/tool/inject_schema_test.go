package tool_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"steward/internal/tool"
)

func TestConceal(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		schema  string
		tokens  bool
		shown   string // empty: as it was
		secrets []tool.SecretParameter
	}{
		"nothing":            {schema: `{"type": "object", "properties": {"a": {"type": "string"}}}`},
		"no object":          {schema: `true`},
		"not JSON":           {schema: `{`},
		"names mean nothing": {schema: `{"properties":{"password":{"type":"string"},"token":{"type":"string"}}}`},
		"declared": {
			schema: `{"properties":{"a":{"x-secret":true},"b":{"writeOnly":true},"c":{"format":"password"},"d":{"type":"string"}},"required":["a","d"]}`,
			shown:  `{"properties":{"d":{"type":"string"}},"required":["d"]}`,
			secrets: []tool.SecretParameter{
				{Path: []string{"a"}, Required: true, Lone: true}, {Path: []string{"b"}, Lone: true}, {Path: []string{"c"}, Lone: true},
			},
		},
		"declared not": {schema: `{"properties":{"a":{"x-secret":"true"},"b":{"writeOnly":false},"c":{"format":"date"}}}`},
		"inside": {
			schema:  `{"properties":{"login":{"properties":{"user":{},"pass":{"format":"password"}},"required":["user","pass"]}}}`,
			shown:   `{"properties":{"login":{"properties":{"user":{}},"required":["user"]}}}`,
			secrets: []tool.SecretParameter{{Path: []string{"login", "pass"}, Required: true}},
		},
		"inside, alone": {
			schema:  `{"properties":{"login":{"properties":{"pass":{"format":"password"}},"required":["pass"]}}}`,
			shown:   `{"properties":{"login":{"properties":{}}}}`,
			secrets: []tool.SecretParameter{{Path: []string{"login", "pass"}, Required: true, Lone: true}},
		},
		"optional, as generators write it": {
			schema:  `{"properties":{"key":{"anyOf":[{"type":"string","format":"password","writeOnly":true},{"type":"null"}],"default":null}}}`,
			shown:   `{"properties":{}}`,
			secrets: []tool.SecretParameter{{Path: []string{"key"}, Lone: true}},
		},
		"referred to twice": {
			schema: `{"$defs":{"L":{"properties":{"pass":{"writeOnly":true}}}},"properties":{"a":{"$ref":"#/$defs/L"},"b":{"$ref":"#/$defs/L"}}}`,
			shown:  `{"$defs":{"L":{"properties":{}}},"properties":{"a":{"$ref":"#/$defs/L"},"b":{"$ref":"#/$defs/L"}}}`,
			secrets: []tool.SecretParameter{
				{Path: []string{"a", "pass"}, Lone: true}, {Path: []string{"b", "pass"}, Lone: true},
			},
		},
		"required elsewhere": {
			schema:  `{"properties":{"k":{"x-secret":true}},"allOf":[{"required":["k","a"]}]}`,
			shown:   `{"properties":{},"allOf":[{"required":["a"]}]}`,
			secrets: []tool.SecretParameter{{Path: []string{"k"}, Required: true, Lone: true}},
		},
		"tokens by convention": {
			tokens: true,
			schema: `{"properties":{"access_token":{"type":"string"},"oauth_tokens":{"type":"object"},"credentials":{},"token":{"type":"integer"},"text":{}},"required":["access_token"]}`,
			shown:  `{"properties":{"token":{"type":"integer"},"text":{}}}`,
			secrets: []tool.SecretParameter{
				{Path: []string{"access_token"}, Required: true, Lone: true, Token: true},
				{Path: []string{"credentials"}, Lone: true, Token: true, Object: true},
				{Path: []string{"oauth_tokens"}, Lone: true, Token: true, Object: true},
			},
		},
		"tokens only at the top": {tokens: true, schema: `{"properties":{"page":{"properties":{"token":{"type":"string"}}}}}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shown, secrets, err := tool.Conceal(json.RawMessage(c.schema), c.tokens)
			require.NoError(t, err)
			require.Empty(t, cmp.Diff(c.secrets, secrets))
			if c.shown == "" {
				require.Equal(t, c.schema, string(shown), "byte for byte")
				return
			}
			require.JSONEq(t, c.shown, string(shown))
		})
	}
}

// A schema that leads back to itself ends, and quickly.
func TestConcealEnds(t *testing.T) {
	t.Parallel()
	for _, schema := range []string{
		`{"$ref":"#"}`,
		`{"properties":{"a":{"$ref":"#"},"b":{"$ref":"#"},"k":{"x-secret":true}}}`,
		`{"$defs":{"x":{"anyOf":[{"$ref":"#/$defs/x"},{"$ref":"#/$defs/x"}]}},"properties":{"a":{"$ref":"#/$defs/x"}}}`,
	} {
		_, _, err := tool.Conceal(json.RawMessage(schema), true)
		require.NoError(t, err)
	}
}

func FuzzConceal(f *testing.F) {
	f.Add(`{"properties":{"a":{"x-secret":true},"b":{"properties":{"c":{"format":"password"}},"required":["c"]}},"required":["a"]}`, true)
	f.Add(`{"$defs":{"x":{"anyOf":[{"$ref":"#/$defs/x"},{"writeOnly":true}]}},"properties":{"a":{"$ref":"#/$defs/x"}}}`, false)
	f.Fuzz(func(t *testing.T, schema string, tokens bool) {
		shown, secrets, err := tool.Conceal(json.RawMessage(schema), tokens)
		if err != nil {
			t.Fatal(err)
		}
		if len(secrets) == 0 {
			if string(shown) != schema {
				t.Fatal("a schema without secrets was changed")
			}
			return
		}
		again, more, err := tool.Conceal(shown, tokens)
		if err != nil || len(more) > 0 && len(secrets) < 1000 && !deep(secrets) {
			t.Fatalf("%v: still there: %v in %s", err, more, again)
		}
		for _, p := range secrets {
			if len(p.Path) == 0 {
				t.Fatal("a secret without a name")
			}
		}
	})
}

// deep says that the search may have ended at its bound.
func deep(secrets []tool.SecretParameter) bool {
	return slices.ContainsFunc(secrets, func(p tool.SecretParameter) bool { return len(p.Path) >= 8 })
}
