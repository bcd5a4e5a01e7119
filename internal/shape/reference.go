package shape

import (
	"net/url"
	"strings"
)

// link follows the references. Each is written anew as the plain pointer of what it was found to mean, so that the
// library cannot understand another subschema than the one whose work was counted.
func (g *graph) link() error {
	for _, n := range g.nodes {
		if n.schema.Ref == "" {
			continue
		}
		to, err := g.target(n)
		if err != nil {
			return err
		}
		n.here = append(n.here, to)
		n.schema.Ref = fragment(g.nodes[to].pointer)
	}
	return nil
}

func (g *graph) target(n *node) (int, error) {
	if !strings.HasPrefix(n.schema.Ref, "#") {
		return 0, refuse("refers to another document", n.pointer)
	}
	ref, err := url.Parse(n.schema.Ref)
	if err != nil {
		return 0, refuse("has a $ref that cannot be read", n.pointer)
	}
	names := g.anchors
	if ref.Fragment == "" || ref.Fragment[0] == '/' {
		names = g.pointers
	}
	to, found := names[ref.Fragment]
	if !found {
		return 0, refuse("refers to nothing", n.pointer)
	}
	return to, nil
}

// fragment writes a JSON Pointer as a reference (RFC 6901 §6).
func fragment(pointer string) string {
	return "#" + (&url.URL{Fragment: pointer}).EscapedFragment()
}
