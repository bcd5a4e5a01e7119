package registry

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Difference is one place in which two definitions of a tool differ.
type Difference struct {
	Path string          // JSON pointer (RFC 6901)
	Old  json.RawMessage // nil: it was not there
	New  json.RawMessage // nil: it is there no more
}

// maxDifferences is how many places are named; what differs in more is another tool, and both texts are there.
const maxDifferences = 100

// Compare names the places in which two JSON values differ, in the order of their paths.
func Compare(before, after json.RawMessage) []Difference {
	c := comparison{}
	c.walk("", decodedOf(before), decodedOf(after))
	return c.found
}

type comparison struct{ found []Difference }

func (c *comparison) walk(path string, before, after any) {
	if len(c.found) >= maxDifferences {
		return
	}
	switch old := before.(type) {
	case map[string]any:
		if now, ok := after.(map[string]any); ok {
			c.members(path, old, now)
			return
		}
	case []any:
		if now, ok := after.([]any); ok && len(old) == len(now) {
			for i := range old {
				c.walk(path+"/"+strconv.Itoa(i), old[i], now[i])
			}
			return
		}
	}
	was, is := text(before), text(after)
	if !bytes.Equal(was, is) {
		c.found = append(c.found, Difference{path, was, is})
	}
}

// absent stands for a member that is not there, which null is not.
type absent struct{}

func (c *comparison) members(path string, before, after map[string]any) {
	names := map[string]bool{}
	for name := range before {
		names[name] = true
	}
	for name := range after {
		names[name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		was, there := before[name]
		if !there {
			was = absent{}
		}
		is, there := after[name]
		if !there {
			is = absent{}
		}
		c.walk(path+"/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(name), was, is)
	}
}

func decodedOf(doc json.RawMessage) any {
	in := json.NewDecoder(bytes.NewReader(doc))
	in.UseNumber() // 1 and 1.0 have different pins
	var value any
	if in.Decode(&value) != nil {
		return absent{}
	}
	return value
}

func text(value any) json.RawMessage {
	if _, none := value.(absent); none {
		return nil
	}
	doc, err := json.Marshal(value)
	if err != nil {
		return nil // it was decoded from JSON a moment ago
	}
	return doc
}
