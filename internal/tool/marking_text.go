package tool

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
)

// comment is what HTML and Markdown do not show. It leaves a space, so that no other comment forms around it.
var comment = regexp.MustCompile(`(?s)<!--.*?--!?>`)

// legible removes from foreign text what a person would not see in it. In JSON it looks into each string, where
// the same may stand in escapes; everything outside of strings stays as it is.
func legible(s string) (text string, hidden bool) {
	d := json.NewDecoder(strings.NewReader(s))
	var first json.RawMessage
	if (strings.HasPrefix(s, "{") || strings.HasPrefix(s, "[") || strings.HasPrefix(s, `"`)) && d.Decode(&first) == nil {
		value, inValue := legibleJSON(first)
		rest, inRest := shownText(s[d.InputOffset():])
		return value + rest, inValue || inRest
	}
	return shownText(s)
}

func shownText(s string) (text string, hidden bool) {
	text, hidden = visible(s)
	if strings.Contains(text, "<!--") {
		without := comment.ReplaceAllString(text, " ")
		text, hidden = without, hidden || without != text
	}
	return text, hidden
}

// legibleJSON rewrites the strings of one valid JSON value that hide something.
func legibleJSON(doc []byte) (text string, hidden bool) {
	var out bytes.Buffer
	out.Grow(len(doc))
	for len(doc) > 0 {
		open := bytes.IndexByte(doc, '"')
		if open < 0 {
			break
		}
		out.Write(doc[:open])
		doc = doc[open:]
		literal := doc[:stringLength(doc)]
		doc = doc[len(literal):]
		var s string
		if err := json.Unmarshal(literal, &s); err == nil {
			clean, found := shownText(s)
			hidden = hidden || found
			if clean != s {
				literal = encoded(clean)
			}
		}
		out.Write(literal)
	}
	out.Write(doc)
	return out.String(), hidden
}

// stringLength is the length of the JSON string that doc begins with, quotes included.
func stringLength(doc []byte) int {
	for i := 1; i < len(doc); i++ {
		switch doc[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(doc)
}

// encoded is a JSON string in which the characters of HTML stay as they are.
func encoded(s string) []byte {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil { // a string always encodes
		return []byte(`""`)
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}
