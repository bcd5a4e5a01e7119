package mongodb

import (
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
)

const (
	sampleSize  = 50  // documents
	mostFields  = 300 // of all of them
	sampleDepth = 3   // of objects in objects
)

// fieldSeen is a field as it occurs in the sample.
type fieldSeen struct {
	Name  string   `json:"name" jsonschema:"its path: a.b is b of the object a, a[] the items of the list a"`
	Types []string `json:"types"`
}

// sample collects the fields of documents.
type sample struct {
	order []string
	types map[string][]string
}

func newSample() *sample { return &sample{types: map[string][]string{}} }

// add reads a document; false: there is no room for more fields.
func (s *sample) add(doc bson.Raw) bool {
	elements, err := doc.Elements()
	if err != nil {
		return false
	}
	for _, e := range elements {
		s.value(clean(e.Key()), e.Value(), sampleDepth)
	}
	return len(s.order) < mostFields
}

func (s *sample) value(path string, v bson.RawValue, depth int) {
	if len(s.order) >= mostFields {
		return
	}
	if s.types[path] == nil {
		s.order = append(s.order, path)
	}
	if kind := strings.TrimSpace(v.Type.String()); !slices.Contains(s.types[path], kind) {
		s.types[path] = append(s.types[path], kind)
	}
	if depth == 0 {
		return
	}
	switch v.Type {
	case bson.TypeEmbeddedDocument:
		s.inside(path+".", v.Document(), depth-1, false)
	case bson.TypeArray:
		s.inside(path+"[]", bson.Raw(v.Array()), depth-1, true)
	}
}

// inside reads an object's members, or the first item of a list, whose others are mostly alike.
func (s *sample) inside(prefix string, doc bson.Raw, depth int, first bool) {
	elements, err := doc.Elements()
	if err != nil {
		return
	}
	for _, e := range elements {
		if first {
			s.value(prefix, e.Value(), depth)
			return
		}
		s.value(prefix+clean(e.Key()), e.Value(), depth)
	}
}

func (s *sample) list() []fieldSeen {
	out := make([]fieldSeen, 0, len(s.order))
	for _, path := range s.order {
		out = append(out, fieldSeen{Name: path, Types: s.types[path]})
	}
	return out
}
