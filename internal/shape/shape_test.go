package shape

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/stretchr/testify/require"

	"steward/internal/fault"
)

func decode(t testing.TB, text string) (value any) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(text), &value))
	return value
}

const expression = `{"$ref":"#/$defs/json","$defs":{"json":{"anyOf":[{"type":["string","number","boolean","null"]},
	{"type":"array","items":{"$ref":"#/$defs/json"}},{"type":"object","additionalProperties":{"$ref":"#/$defs/json"}}]}}}`

func TestOrdinarySchemas(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, schema, fits, not string }{
		{"empty", `{}`, `{"a":1}`, ""},
		{"true", `true`, `[]`, ""},
		{"false", `false`, "", `{}`},
		{"false inside", `{"properties":{"a":false}}`, `{"b":1}`, `{"a":1}`},
		{
			"arguments", `{"type":"object","properties":{"path":{"type":"string"},"limit":{"type":"integer","minimum":1}},"required":["path"],"additionalProperties":false}`,
			`{"path":"x","limit":3}`, `{"path":"x","more":1}`,
		},
		{
			"2020-12", `{"$schema":"https://json-schema.org/draft/2020-12/schema","$id":"https://server.test/tool.json","properties":{"a":{"$ref":"#/$defs/id"}},"$defs":{"id":{"type":"integer"}}}`,
			`{"a":1}`, `{"a":"1"}`,
		},
		{"relative $id", `{"$id":"tool.json","properties":{"a":{"$ref":"#/$defs/id"}},"$defs":{"id":{"type":"integer"}}}`, `{"a":1}`, `{"a":"1"}`},
		{
			"draft-07", `{"$schema":"http://json-schema.org/draft-07/schema#","$ref":"#/definitions/args","definitions":{"args":{"type":"object","properties":{"pair":{"items":[{"type":"string"},{"type":"number"}],"additionalItems":false}}}}}`,
			`{"pair":["a",1]}`, `{"pair":["a",1,2]}`,
		},
		{"draft-07 dependencies", `{"$schema":"http://json-schema.org/draft-07/schema#","dependencies":{"a":{"required":["b"]},"c":["d"]}}`, `{"a":1,"b":1}`, `{"a":1}`},
		{"anchor", `{"properties":{"a":{"$ref":"#name"}},"$defs":{"n":{"$anchor":"name","minLength":2}}}`, `{"a":"ab"}`, `{"a":"a"}`},
		{"dynamic anchor, plainly referred to", `{"$dynamicAnchor":"node","properties":{"a":{"$ref":"#node"}},"type":"object"}`, `{"a":{}}`, `{"a":1}`},
		{"union", `{"properties":{"to":{"oneOf":[{"const":"all"},{"type":"array","items":{"type":"string"}}]}}}`, `{"to":["a"]}`, `{"to":"some"}`},
		{
			"tree", `{"type":"object","properties":{"name":{"type":"string"},"children":{"type":"array","items":{"$ref":"#"}}},"required":["name"]}`,
			`{"name":"a","children":[{"name":"b","children":[{"name":"c"}]}]}`, `{"name":"a","children":[{"name":"b","children":[{}]}]}`,
		},
		{"two branches", `{"type":"object","properties":{"left":{"$ref":"#"},"right":{"$ref":"#"}}}`, `{"left":{"right":{"left":{}}}}`, `{"left":{"right":1}}`},
		{"mutual", `{"$ref":"#/$defs/a","$defs":{"a":{"type":"object","properties":{"b":{"$ref":"#/$defs/b"}}},"b":{"type":"array","items":{"$ref":"#/$defs/a"}}}}`, `{"b":[{"b":[]}]}`, `{"b":[{"b":1}]}`},
		{"any JSON", expression, `{"a":[1,{"b":[null]}]}`, ""},
		{"if", `{"if":{"required":["a"]},"then":{"required":["b"]},"else":{"required":["c"]}}`, `{"a":1,"b":1}`, `{}`},
		{"unevaluated", `{"allOf":[{"properties":{"a":true}}],"unevaluatedProperties":false}`, `{"a":1}`, `{"b":1}`},
		{"escapes", `{"properties":{"a":{"$ref":"#/$defs/x~1y~0z%25%20w"},"b":{"$ref":"#/$defs/~01"}},"$defs":{"x/y~z% w":{"type":"string"},"~1":{"type":"null"}}}`, `{"a":"","b":null}`, `{"a":1}`},
		{"into a union", `{"properties":{"a":{"anyOf":[{"type":"string"},{"type":"null"}]},"b":{"$ref":"#/properties/a/anyOf/0"}}}`, `{"b":""}`, `{"b":null}`},
		{"into prefixItems", `{"properties":{"a":{"prefixItems":[true,{"type":"null"}]},"b":{"$ref":"#/properties/a/prefixItems/1"}}}`, `{"b":null}`, `{"b":1}`},
		{"a property named $ref", `{"properties":{"$ref":{"type":"string"}}}`, `{"$ref":"#"}`, `{"$ref":1}`},
		{"a default that looks like a schema", `{"properties":{"a":{"default":{"$ref":"#"},"examples":[{"$id":"x"}]}}}`, `{"a":1}`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			schema, err := Compile(json.RawMessage(tt.schema))
			require.NoError(t, err)
			if tt.fits != "" {
				require.NoError(t, schema.Validate(decode(t, tt.fits)))
			}
			if tt.not != "" {
				err := schema.Validate(decode(t, tt.not))
				require.Error(t, err)
				require.False(t, fault.Is(err, fault.Invalid), "refused for its meaning, not its size")
			}
		})
	}
}

// doubled is a schema whose references reach its last definition 2^n times.
func doubled(n int, last string) string {
	var b strings.Builder
	b.WriteString(`{"$ref":"#/$defs/0","$defs":{`)
	for i := range n {
		fmt.Fprintf(&b, `"%d":{"allOf":[{"$ref":"#/$defs/%d"},{"$ref":"#/$defs/%d"}]},`, i, i+1, i+1)
	}
	fmt.Fprintf(&b, `"%d":%s}}`, n, last)
	return b.String()
}

// chain is n references in a row.
func chain(n int) string {
	var b strings.Builder
	b.WriteString(`{"$ref":"#/$defs/0","$defs":{`)
	for i := range n {
		fmt.Fprintf(&b, `"%d":{"$ref":"#/$defs/%d"},`, i, i+1)
	}
	fmt.Fprintf(&b, `"%d":true}}`, n)
	return b.String()
}

func TestHostileSchemas(t *testing.T) {
	t.Parallel()
	wide := strings.TrimSuffix(strings.Repeat(`true,`, 20_000), ",")
	for _, tt := range []struct{ name, schema, complaint string }{
		{"itself", `{"type":"object","$ref":"#"}`, "subschema at # applies itself"},
		{"itself, written otherwise", `{"$REF":"#"}`, "without end"},
		{"itself by anchor", `{"$anchor":"a","$ref":"#a"}`, "without end"},
		{"far from the root", `{"properties":{"a":{"items":{"$ref":"#/properties/a/items"}}}}`, "at #/properties/a/items applies itself"},
		{"two by turns", `{"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}}}`, "without end"},
		{"allOf", `{"allOf":[true,{"$ref":"#"}]}`, "without end"},
		{"anyOf", `{"anyOf":[{"$ref":"#"}]}`, "without end"},
		{"oneOf", `{"oneOf":[{"$ref":"#"}]}`, "without end"},
		{"not", `{"not":{"$ref":"#"}}`, "without end"},
		{"if", `{"if":{"$ref":"#"}}`, "without end"},
		{"then", `{"if":true,"then":{"$ref":"#"}}`, "without end"},
		{"else", `{"if":false,"else":{"$ref":"#"}}`, "without end"},
		{"dependentSchemas", `{"dependentSchemas":{"a":{"$ref":"#"}}}`, "without end"},
		{"dependencies", `{"$schema":"http://json-schema.org/draft-07/schema#","dependencies":{"a":{"$ref":"#"}}}`, "without end"},
		{"doubled references", doubled(40, `true`), "references multiply"},
		{"doubled references around a recursion", doubled(40, `{"properties":{"a":{"$ref":"#"}}}`), "references multiply"},
		{"doubled references inside", strings.ReplaceAll(doubled(40, `true`), "allOf", "prefixItems"), "references multiply"},
		{"long chain", chain(5000), "chain of references"},
		{"nested", strings.Repeat(`{"not":`, 10_000) + "true" + strings.Repeat("}", 10_000), "64 levels"},
		{"huge", `{"title":"` + strings.Repeat("x", 300<<10) + `"}`, "256 KiB"},
		{"long name above many", `{"properties":{"` + strings.Repeat("x", 2000) + `":{"anyOf":[` + wide + `]}}}`, "too long names"},
		{"huge pattern", `{"pattern":"` + strings.Repeat("(abcdefghijkl){1000}", 20) + `"}`, "patterns of the schema"},
		{"pattern that is none", `{"pattern":"("}`, "RE2"},
		{"patternProperties that are none", `{"patternProperties":{"(":true}}`, "RE2"},
		{"nowhere", `{"$ref":"#/$defs/a"}`, "at # refers to nothing"},
		{"nowhere by anchor", `{"$ref":"#a"}`, "refers to nothing"},
		{"not to a subschema", `{"$ref":"#/title","title":"x"}`, "refers to nothing"},
		{"unreadable", `{"$ref":"#/%zz"}`, "cannot be read"},
		{"remote", `{"properties":{"a":{"$ref":"https://evil.test/s"}}}`, "another document"},
		{"file", `{"$ref":"file:///etc/passwd"}`, "another document"},
		{"relative", `{"$id":"https://evil.test/","$ref":"other.json"}`, "another document"},
		{"nested $id", `{"properties":{"a":{"$id":"https://evil.test/"}}}`, "$id"},
		{"$dynamicRef", `{"$dynamicAnchor":"a","properties":{"b":{"$dynamicRef":"#a"}}}`, "$dynamicRef"},
		{"$recursiveRef", `{"properties":{"b":{"$recursiveRef":"#"}}}`, "$recursiveRef"},
		{"an anchor twice", `{"$anchor":"a","properties":{"b":{"$anchor":"a"}}}`, "taken"},
		{"null", `{"properties":{"a":null}}`, "at #/properties/a is null"},
		{"other draft", `{"$schema":"http://json-schema.org/draft-04/schema#"}`, "$schema"},
		{"both sorts of definitions", `{"$defs":{},"definitions":{}}`, "no meaning"},
		{"words in a name", `{"properties":{"Ignore evil":{"$ref":"x"}}}`, "#/properties/Ignore%20evil refers"},
		{"not JSON", `{`, "not a JSON Schema"},
		{"nothing", ``, "not a JSON Schema"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := Compile(json.RawMessage(tt.schema))
			require.ErrorContains(t, err, tt.complaint)
			require.True(t, fault.Is(err, fault.Invalid))
			require.Contains(t, fault.Text(err), tt.complaint)
			require.Less(t, len(fault.Text(err)), 200)
			require.NotContains(t, fault.Text(err), "evil.test", "what is refused is not repeated")
		})
	}
}

func TestValuesThatTakeTooMuch(t *testing.T) {
	t.Parallel()
	members := func(levels int) string { return strings.Repeat(`{"a":`, levels) + "1" + strings.Repeat("}", levels) }
	items := func(levels int) string { return strings.Repeat(`[`, levels) + strings.Repeat("]", levels) }
	twice := `{"allOf":[{"properties":{"a":{"$ref":"#"}}},{"properties":{"a":{"$ref":"#"}}}]}`
	alternatives := `{"anyOf":[` + strings.TrimSuffix(strings.Repeat(`{"type":"string"},`, 10_000), ",") + `]}`
	for _, tt := range []struct {
		name, schema, value string
		refused             bool
	}{
		{"recursion of ordinary depth", `{"items":{"$ref":"#"}}`, items(400), false},
		{"recursion too deep", `{"items":{"$ref":"#"}}`, items(600), true},
		{"any JSON", expression, members(200), false},
		{"any JSON too deep", expression, members(500), true},
		{"no recursion, any depth", `{"type":"array"}`, items(5000), false},
		{"doubling", twice, members(10), false},
		{"doubling too deep", twice, members(30), true},
		{"doubling by overlapping keywords", `{"properties":{"a":{"$ref":"#"}},"patternProperties":{".":{"$ref":"#"}}}`, members(30), true},
		{"doubling of items", `{"items":{"$ref":"#"},"contains":{"$ref":"#"}}`, items(30), true},
		{"many at the end of a doubling", twice, `{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":[` + strings.Repeat("1,", 100_000) + `1]}}}}}}}}`, true},
		{"different members do not double", `{"anyOf":[{"properties":{"a":{"$ref":"#"}}},{"properties":{"b":{"$ref":"#"}}}]}`, members(100), false},
		{"other recursion beside", `{"properties":{"a":{"allOf":[{"$ref":"#"},{"$ref":"#/$defs/o"}]}},"$defs":{"o":{"properties":{"a":{"$ref":"#/$defs/o"}}}}}`, members(60), true},
		{"many items for many alternatives", `{"items":` + alternatives + `}`, `[` + strings.Repeat("1,", 100_000) + `1]`, true},
		{"long text for many alternatives", alternatives, `"` + strings.Repeat("x", 1<<20) + `"`, true},
		{"long text", `{"properties":{"a":{"type":"string","pattern":"^x+$"}}}`, `{"a":"` + strings.Repeat("x", 1<<20) + `"}`, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			schema, err := Compile(json.RawMessage(tt.schema))
			require.NoError(t, err)
			err = schema.Validate(decode(t, tt.value))
			require.Equal(t, tt.refused, fault.Is(err, fault.Invalid), "%.200v", err)
		})
	}
}

// What the library may apply and the graph does not know would not be bounded.
func TestEveryKeywordWithSubschemasIsKnown(t *testing.T) {
	t.Parallel()
	for i := range reflect.TypeFor[jsonschema.Schema]().NumField() {
		var s jsonschema.Schema
		field, sub := reflect.ValueOf(&s).Elem().Field(i), &jsonschema.Schema{}
		switch field.Interface().(type) {
		case *jsonschema.Schema:
			field.Set(reflect.ValueOf(sub))
		case []*jsonschema.Schema:
			field.Set(reflect.ValueOf([]*jsonschema.Schema{sub}))
		case map[string]*jsonschema.Schema:
			field.Set(reflect.ValueOf(map[string]*jsonschema.Schema{"a": sub}))
		default:
			continue
		}
		all := children(&s)
		require.Len(t, all, 1, reflect.TypeOf(s).Field(i).Name)
		require.Same(t, sub, all[0].schema)
	}
}

func FuzzCompile(f *testing.F) {
	for _, seed := range []string{
		`true`, expression, doubled(3, `{"items":{"$ref":"#"}}`), chain(3), `{"$ref":"#"}`,
		`{"properties":{"a":{"$ref":"#"}},"patternProperties":{"^a{3}$":{"$ref":"#/properties/a"}}}`,
		`{"$schema":"http://json-schema.org/draft-07/schema#","definitions":{"a~/%":{"$id":"#x"}},"items":[{"$ref":"#/definitions/a~0~1%25"}]}`,
		`{"if":{"$anchor":"x"},"then":{"$ref":"#x"},"unevaluatedItems":{"$ref":"#"},"dependentSchemas":{"a":false}}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		schema, err := Compile(json.RawMessage(text))
		if err != nil {
			require.True(t, fault.Is(err, fault.Invalid))
			return
		}
		for _, value := range []string{`{"a":{"a":{"a":[1,"b",null]}}}`, `[[[[{"a":["aaa"]}]]],-1.5]`, `"aaa"`} {
			_ = schema.Validate(decode(t, value)) // returns
		}
	})
}
