package shape

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
)

// place is where a subschema applies, seen from the value of the schema around it.
type place int

const (
	nowhere    place = iota // only references lead to it
	inPlace                 // to the same value
	oneMember               // to the member with a given name
	eachMember              // to any member, or its name
	oneItem                 // to the item with a given index
	eachItem                // to any item
)

type child struct {
	schema *jsonschema.Schema
	path   string // relative JSON Pointer, RFC 6901
	at     string // name of the member or index of the item
	place  place
}

// children are the subschemas of a schema. Keywords of both drafts count, whichever is used: that may only take more
// work into account than will be done.
func children(s *jsonschema.Schema) (all []child) {
	one := func(keyword string, where place, sub *jsonschema.Schema) {
		if sub != nil {
			all = append(all, child{sub, "/" + keyword, "", where})
		}
	}
	list := func(keyword string, where place, subs []*jsonschema.Schema) {
		for i, sub := range subs {
			index := strconv.Itoa(i)
			all = append(all, child{sub, "/" + keyword + "/" + index, index, where})
		}
	}
	named := func(keyword string, where place, subs map[string]*jsonschema.Schema) {
		for _, name := range slices.Sorted(maps.Keys(subs)) { // sorted: the same complaint each time
			all = append(all, child{subs[name], "/" + keyword + "/" + escape(name), name, where})
		}
	}
	named("$defs", nowhere, s.Defs)
	named("definitions", nowhere, s.Definitions)
	one("contentSchema", nowhere, s.ContentSchema)

	list("allOf", inPlace, s.AllOf)
	list("anyOf", inPlace, s.AnyOf)
	list("oneOf", inPlace, s.OneOf)
	one("not", inPlace, s.Not)
	one("if", inPlace, s.If)
	one("then", inPlace, s.Then)
	one("else", inPlace, s.Else)
	named("dependentSchemas", inPlace, s.DependentSchemas)
	named("dependencies", inPlace, s.DependencySchemas)

	named("properties", oneMember, s.Properties)
	named("patternProperties", eachMember, s.PatternProperties)
	one("additionalProperties", eachMember, s.AdditionalProperties)
	one("unevaluatedProperties", eachMember, s.UnevaluatedProperties)
	one("propertyNames", eachMember, s.PropertyNames)

	list("prefixItems", oneItem, s.PrefixItems)
	list("items", oneItem, s.ItemsArray)
	one("items", eachItem, s.Items)
	one("additionalItems", eachItem, s.AdditionalItems)
	one("unevaluatedItems", eachItem, s.UnevaluatedItems)
	one("contains", eachItem, s.Contains)
	return all
}

// escape makes a name a token of a JSON Pointer (RFC 6901 §3).
func escape(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}
