package planner

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"steward/dev/offline/dialog"
	"steward/dev/offline/lexicon"
)

// text finds the value of a string property by what its name says about it.
func (f *filler) text(name string, schema *dialog.Schema, required bool) (any, bool) {
	if value, ok := f.named[name]; ok {
		return value, true
	}
	words := propertyWords(name)
	is := func(names ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return slices.Contains(names, w) })
	}
	switch {
	case schema.Format == "email" || is("email", "to", "recipient", "recipients", "cc"):
		return f.take(email)
	case schema.Format == "uri" || is("url", "uri", "link", "href"):
		return f.take(url)
	case is("path", "file", "filename", "directory", "dir", "folder", "source", "destination"):
		return f.take(path)
	case is("from", "sender", "author") && f.hasStart():
		return f.take(email)
	case schema.Format == "date" || schema.Format == "date-time" || is("after", "since", "start", "from", "date"):
		return f.dateOrDay(false)
	case is("before", "until", "end"):
		return f.dateOrDay(true)
	case is("id", "key", "number", "ref"):
		return f.identifier(required)
	case is("query", "q", "search", "pattern", "term", "keyword", "topic", "question"):
		return f.phrase(required)
	case is("message", "text", "content", "body", "input", "prompt"):
		if !required {
			return nil, false
		}
		return f.phrase(required)
	case is("city", "location", "place", "country", "region"):
		return f.place()
	case !required:
		return nil, false
	default:
		return f.take(text)
	}
}

// take hands out the first free value of a kind.
func (f *filler) take(kinds ...kind) (any, bool) {
	for i, t := range f.tokens {
		if !t.used && slices.Contains(kinds, t.kind) {
			f.tokens[i].used = true
			return t.value, true
		}
	}
	return nil, false
}

// hasStart reports whether another property bounds the period, so that "from" is a person.
func (f *filler) hasStart() bool {
	for _, name := range []string{"after", "since", "start", "start_date", "date"} {
		if _, ok := f.schema.Properties[name]; ok {
			return true
		}
	}
	return false
}

func (f *filler) dateOrDay(ending bool) (any, bool) {
	if value, ok := f.day(ending); ok {
		return value, true
	}
	return f.take(date)
}

var reference = regexp.MustCompile(`(?i)(\w+)\s+#?([\w-]*\d[\w-]*)\b`)

// identifier is a quoted text, or a word with a digit in it behind a word of the tool's name or one
// such as "id": "get email 42". In "limit 5" the 5 identifies nothing.
func (f *filler) identifier(required bool) (any, bool) {
	if !required {
		return nil, false
	}
	if value, ok := f.take(text); ok {
		return value, true
	}
	known := append(lexicon.Terms(f.tool.Short()), "id", "number", "no", "key")
	for _, m := range reference.FindAllStringSubmatch(f.clause, -1) {
		if meets(lexicon.Stem(strings.ToLower(m[1])), known) {
			return m[2], true
		}
	}
	return nil, false
}

// number takes numbers in the order in which they stand, for optional properties only by name.
func (f *filler) number(name string, required bool) (any, bool) {
	value, ok := f.named[name]
	if !ok && required {
		var taken any
		if taken, ok = f.take(number); ok {
			value, ok = taken.(string)
		}
	}
	return json.Number(value), ok && json.Valid([]byte(value)) // "007" is no JSON number
}

// array takes JSON from the text, else every free value that suits the items.
func (f *filler) array(name string, schema *dialog.Schema, required bool) (any, bool) {
	if value, ok := f.json('['); ok {
		return value, true
	}
	if !required || schema.Items == nil {
		return nil, false
	}
	if schema.Items.Type == "object" {
		if value, ok := f.object(schema.Items, true); ok {
			return []any{value}, true
		}
		return nil, false
	}
	var list []any
	for {
		value, ok := f.value(strings.TrimSuffix(name, "s"), schema.Items, true)
		if !ok {
			return list, len(list) > 0
		}
		if len(list) > 0 && value == list[len(list)-1] {
			return list, true // not a value that is consumed, such as a period
		}
		list = append(list, value)
	}
}
