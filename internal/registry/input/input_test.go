package input_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"steward/internal/registry/input"
	"steward/internal/secret"
)

func given(values map[string]string) input.Given {
	return func(name string) secret.String { return secret.New(values[name]) }
}

func revealed(values map[string]secret.String) map[string]string {
	out := map[string]string{}
	for name, v := range values {
		out[name] = v.Reveal()
	}
	return out
}

func TestFill(t *testing.T) {
	t.Parallel()
	fields, err := input.Parse([]byte(`[
		{"name":"PLAIN"}, {"name":"KEY","isSecret":true,"isRequired":true}, {"name":"LIMIT","format":"number","default":"10"},
		{"name":"REGION","choices":["eu","us"]}, {"name":"AUTH","value":"Bearer {token}","variables":{"token":{"isSecret":true}}}
	]`))
	require.NoError(t, err)
	require.Equal(t, []string{"KEY", "token"}, input.Secrets(fields))
	for name, tt := range map[string]struct {
		given map[string]string
		want  map[string]string
		fails string
	}{
		"defaults":   {given: map[string]string{"KEY": "k"}, want: map[string]string{"KEY": "k", "LIMIT": "10"}},
		"everything": {given: map[string]string{"KEY": "k", "PLAIN": "p", "LIMIT": "2", "REGION": "us", "token": "t"}, want: map[string]string{"KEY": "k", "PLAIN": "p", "LIMIT": "2", "REGION": "us", "AUTH": "Bearer t"}},
		"fixed":      {given: map[string]string{"KEY": "k", "AUTH": "mine"}, want: map[string]string{"KEY": "k", "LIMIT": "10"}},
		"missing":    {fails: "missing: KEY"},
		"no number":  {given: map[string]string{"KEY": "k", "LIMIT": "canary"}, fails: "LIMIT is not a number"},
		"no choice":  {given: map[string]string{"KEY": "k", "REGION": "canary"}, fails: "REGION is none of the choices"},
		"NUL":        {given: map[string]string{"KEY": "canary\x00"}, fails: "KEY holds the character U+0000"},
	} {
		values, err := input.Fill(fields, given(tt.given))
		if tt.fails != "" {
			require.EqualError(t, err, tt.fails, name)
			continue
		}
		require.NoError(t, err, name)
		require.Empty(t, cmp.Diff(tt.want, revealed(values)), name)
	}
}

func TestExpand(t *testing.T) {
	t.Parallel()
	values := map[string]secret.String{"a": secret.New("{b}"), "b": secret.New("B")}
	for template, want := range map[string]string{
		"{a}{b}": "{b}B", "{ a }": "{ a }", "{}": "{}", `{"a":1}`: `{"a":1}`, "{{a}}": "{{b}}", "${b}": "$B", "": "",
	} {
		got, err := input.Expand(template, values)
		require.NoError(t, err, template)
		require.Equal(t, want, got.Reveal(), template)
	}
	_, err := input.Expand("{a} {c} {d}", values)
	var missing *input.MissingError
	require.ErrorAs(t, err, &missing)
	require.Equal(t, []string{"c", "d"}, missing.Names)
}

func TestSchemasAreChecked(t *testing.T) {
	t.Parallel()
	anything := func(string) string { return "" }
	for name, doc := range map[string]string{
		"twice":               `[{"name":"A"},{"name":"a"}]`,
		"format":              `[{"name":"A","format":"date"}]`,
		"secret default":      `[{"name":"A","isSecret":true,"default":"x"}]`,
		"secret value":        `[{"name":"A","isSecret":true,"value":"x"}]`,
		"default no choice":   `[{"name":"A","choices":["a"],"default":"b"}]`,
		"undeclared variable": `[{"name":"A","value":"{x}"}]`,
		"unused variable":     `[{"name":"A","value":"x","variables":{"y":{}}}]`,
		"nested variable":     `[{"name":"A","value":"{x}","variables":{"x":{"value":"{y}"}}}]`,
		"NUL":                 `[{"name":"A","description":"\u0000"}]`,
	} {
		fields, err := input.Parse([]byte(doc))
		require.NoError(t, err, name)
		require.NotEmpty(t, input.Check("body.env_schema", fields, anything), name)
	}
	fields, err := input.Parse([]byte(`[{"name":"A","isRequired":true},{"name":"B","value":"x {y}","variables":{"y":{"isSecret":true}}}]`))
	require.NoError(t, err)
	require.Empty(t, input.Check("body.env_schema", fields, anything))
	wrong := input.Check("body.env_schema", fields, func(string) string { return "no" })
	require.Equal(t, "body.env_schema[0].name", wrong[0].Location)
}

func TestT02ArgumentsAreNoOptions(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"-c", "--node-options=--require=x", "-v/:/host", "a\nb", "a\x00"} {
		require.NotEmpty(t, input.Input{}.FitsArgument(value), value)
	}
	require.Empty(t, input.Input{}.FitsArgument("eu-west-1"))
}

// T-24: substitution evaluates nothing, looks at nothing twice and says nothing of what it was given.
func FuzzSpecResolve(f *testing.F) {
	for _, seed := range [][3]string{
		{"Bearer {token}", "token", "{token}"}, {"{a}{a}{a}", "a", "{a}{a}"}, {"{{x}}", "x", "{{{{"}, {"${jndi:x}", "jndi", "y"}, {"{x.constructor}", "x", "z"}, {"{{7*7}}", "x", ""},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, template, name, value string) {
		const canary = "canary-4711-4711"
		got, err := input.Expand(template, map[string]secret.String{name: secret.New(value + canary)})
		if err != nil {
			var missing *input.MissingError
			require.ErrorAs(t, err, &missing)
			require.NotContains(t, err.Error(), canary)
			require.NotContains(t, missing.Names, name, "what is known is not missing")
			return
		}
		uses := strings.Count(template, "{"+name+"}")
		require.LessOrEqual(t, len(got.Reveal()), len(template)+uses*len(value+canary), "each place is filled once")
		if !strings.Contains(template, "{") {
			require.Equal(t, template, got.Reveal())
		}
		fields := []input.Field{{Name: "A", Input: input.Input{Required: true, Value: template, Variables: map[string]input.Input{name: {Secret: true}}}}}
		if values, err := input.Fill(fields, given(map[string]string{name: value + canary})); err == nil {
			require.LessOrEqual(t, len(values), 1)
		} else {
			require.NotContains(t, err.Error(), canary)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add(`[{"name":"A","value":"{x}","variables":{"x":{"variables":{"y":{}}}}}]`)
	f.Add(`[{"name":null,"choices":[null]}]`)
	f.Fuzz(func(t *testing.T, doc string) {
		fields, err := input.Parse([]byte(doc))
		if err != nil {
			return
		}
		if len(input.Check("x", fields, func(string) string { return "" })) > 0 {
			return
		}
		again, err := json.Marshal(fields)
		require.NoError(t, err)
		_, err = input.Parse(again)
		require.NoError(t, err)
		_ = input.Secrets(fields)
	})
}
