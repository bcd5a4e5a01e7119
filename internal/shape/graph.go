package shape

import (
	"strings"

	"github.com/google/jsonschema-go/jsonschema"

	"steward/internal/fault"
)

// maxPointer bounds the JSON Pointer of a subschema, in bytes. The library keeps one for each and repeats it in the
// errors of each level: one long name above thousands of subschemas would take gigabytes.
const maxPointer = 1 << 10

// graph is a schema as the library will walk it. It is made from what the library read, not from the document: the
// library takes "$REF" for "$ref".
type graph struct {
	nodes    []*node // the root first
	pointers map[string]int
	anchors  map[string]int
	patterns int // size of all patterns
}

type node struct {
	schema  *jsonschema.Schema
	pointer string
	cost    int    // of applying its own keywords once
	here    []int  // subschemas that apply to the same value
	below   []edge // subschemas that apply to what is in the value
}

// edge leads to a subschema for the member or item named at, or for all of them.
type edge struct {
	to    int
	place place
	at    string
}

func newGraph(root *jsonschema.Schema) (*graph, error) {
	g := &graph{pointers: map[string]int{}, anchors: map[string]int{}}
	if _, err := g.add(root, ""); err != nil {
		return nil, err
	}
	return g, g.link()
}

func (g *graph) add(s *jsonschema.Schema, pointer string) (int, error) {
	if len(pointer) > maxPointer {
		return 0, refuse("has too long names on the way to it", pointer)
	}
	if s == nil {
		return 0, refuse("is null", pointer)
	}
	id, n := len(g.nodes), &node{schema: s, pointer: pointer}
	g.nodes = append(g.nodes, n)
	g.pointers[pointer] = id
	if err := g.examine(id, n); err != nil {
		return 0, err
	}
	for _, c := range children(s) {
		to, err := g.add(c.schema, pointer+c.path)
		if err != nil {
			return 0, err
		}
		switch c.place {
		case nowhere:
		case inPlace:
			n.here = append(n.here, to)
		default:
			n.below = append(n.below, edge{to, c.place, c.at})
		}
	}
	return id, nil
}

// examine refuses keywords that change what references mean, and measures patterns.
func (g *graph) examine(id int, n *node) error {
	if n.schema.ID != "" {
		return refuse("has an $id, which only the root may have", n.pointer)
	}
	if n.schema.DynamicRef != "" {
		return refuse("has a $dynamicRef, which is not supported", n.pointer)
	}
	for keyword := range n.schema.Extra {
		if strings.EqualFold(keyword, "$recursiveRef") {
			return refuse("has a $recursiveRef, which is not supported", n.pointer)
		}
	}
	for _, anchor := range []string{n.schema.Anchor, n.schema.DynamicAnchor} {
		if anchor == "" {
			continue
		}
		if _, taken := g.anchors[anchor]; taken {
			return refuse("has an anchor that is taken", n.pointer)
		}
		g.anchors[anchor] = id
	}
	size, err := patterns(n.schema)
	if err != nil {
		return refuse("has a pattern that is not a regular expression (RE2)", n.pointer)
	}
	if g.patterns += size; g.patterns > maxPatterns {
		return fault.New(fault.Invalid, "the patterns of the schema are too large")
	}
	n.cost = 1 + size/8
	return nil
}

// refuse names the subschema that something is wrong with. Its pointer is the only foreign text in messages: short
// and percent-encoded, it holds no words for readers.
func refuse(what, pointer string) error {
	shown := fragment(pointer)
	if len(shown) > 100 {
		shown = shown[:100] + "…"
	}
	return fault.New(fault.Invalid, "the subschema at %s %s", shown, what)
}
