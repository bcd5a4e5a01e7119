// Package shape compiles JSON Schemas that others wrote: servers for their tools, users for their answers.
//
// The library that validates trusts its schemas. One that refers to itself ({"$ref":"#"}) recurses until the
// process dies of a stack overflow, which nothing can recover from; doubled references take exponential time. So
// what the library gets is first looked at as a graph of subschemas, and values are weighed before they are
// validated: neither side can ask for more work than the bounds of this package.
package shape

import (
	"encoding/json"
	"slices"

	"github.com/google/jsonschema-go/jsonschema"

	"steward/internal/fault"
)

// Bounds of a schema. Reading one takes time that grows with its depth times its size.
const (
	maxBytes = 256 << 10
	maxDepth = 64
)

// dialects are the values of $schema whose keywords the library knows.
var dialects = []string{
	"", "https://json-schema.org/draft/2020-12/schema",
	"http://json-schema.org/draft-07/schema#", "https://json-schema.org/draft-07/schema#",
}

// Schema is a compiled schema. It is safe for concurrent use.
type Schema struct {
	resolved *jsonschema.Resolved
	bound    bound
}

// Compile reads a schema of draft 2020-12 or draft-07 with at most 256 KiB and 64 levels. References stay inside it:
// "#", "#/pointer" and "#anchor". Its errors are Invalid faults whose text repeats nothing of the schema but the
// escaped pointer to a place in it.
func Compile(doc json.RawMessage) (*Schema, error) {
	if len(doc) > maxBytes {
		return nil, fault.New(fault.Invalid, "the schema is larger than %d KiB", maxBytes>>10)
	}
	if depth(doc) > maxDepth {
		return nil, fault.New(fault.Invalid, "the schema is nested more than %d levels deep", maxDepth)
	}
	var root jsonschema.Schema
	if err := json.Unmarshal(doc, &root); err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "it is not a JSON Schema")
	}
	if !slices.Contains(dialects, root.Schema) {
		return nil, fault.New(fault.Invalid, "the $schema of the schema is neither draft 2020-12 nor draft-07")
	}
	// References to the root's own address are not followed, so the address has no use. Relative to one, or with a
	// relative one, the library would refuse references that are plain here.
	root.ID = ""
	g, err := newGraph(&root)
	if err != nil {
		return nil, err
	}
	b, err := g.bound()
	if err != nil {
		return nil, err
	}
	resolved, err := root.Resolve(nil) // without a loader nothing is fetched
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "a keyword of the schema has no meaning")
	}
	return &Schema{resolved, b}, nil
}

// Type is the one type that the schema names for its values, or empty.
func (s *Schema) Type() string { return s.resolved.Schema().Type }

// Validate says why a value, as encoding/json decodes it, does not fit the schema. The text of the error repeats
// parts of both, uncleaned. A value that would take too much work is an Invalid fault.
func (s *Schema) Validate(value any) error {
	if err := s.bound.admits(value); err != nil {
		return err
	}
	return s.resolved.Validate(value)
}
