package dialog

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// Result is what a tool answered, freed of the envelope that marks it as untrusted data.
type Result struct {
	Text   string // inside of the envelope, or the reason of a failure
	Value  any    // the JSON in it (numbers as json.Number), nil when there is none
	Cut    bool   // the JSON ended too early; Value is what could be saved
	Failed bool   // the client reports an error, a denial or an unknown tool
}

var (
	openTag    = regexp.MustCompile(`(?m)^[ \t]*<([A-Za-z][\w.:-]*)((?:\s[^<>\n]*)?)>[ \t]*\r?$`)
	failedAttr = regexp.MustCompile(`\b(?:is_?)?error="(?:true|1)"|\b(?:status|outcome)="(?:error|failed|denied|unknown)"`)
	failedText = regexp.MustCompile(`(?i)^\W{0,2}(?:tool |call )*(?:error|failed|failure|denied|refused|rejected|unknown tool|invalid arguments|not found)\b`)
)

// Result parses the output leniently: with or without an envelope such as
//
//	<tool-result source="mailbox/get_email" id="…" bytes="…">
//	{"id": "…"}
//	</tool-result>
//
// with notes around it, and with JSON that was cut.
func (c Call) Result() Result {
	text, attrs := unwrap(c.Output)
	r := Result{Text: strings.TrimSpace(text)}
	r.Value, r.Cut = findJSON(r.Text)
	why, failed := failure(r.Value)
	if why != "" {
		r.Text = why
	}
	r.Failed = failed || failedAttr.MatchString(attrs) || (r.Value == nil && failedText.MatchString(r.Text))
	return r
}

// preface bounds the notes that may stand before an envelope.
const preface = 2048

// unwrap returns the text between the first line that is a tag of its own and its closing tag, or
// to the end when that is missing, and the attributes of the tag.
func unwrap(output string) (text, attrs string) {
	m := openTag.FindStringSubmatchIndex(output[:min(preface, len(output))])
	if m == nil {
		return output, ""
	}
	name, attrs := output[m[2]:m[3]], output[m[4]:m[5]]
	text = output[m[1]:]
	if end := strings.LastIndex(text, "</"+name+">"); end >= 0 {
		text = text[:end]
	}
	return text, attrs
}

// failure reads the forms in which clients report failures as JSON: {"error": "…", "outcome":
// "denied"}, {"error": {…}} and {"isError": true}. Why is empty when they give no reason.
func failure(value any) (why string, failed bool) {
	object, ok := value.(map[string]any)
	if !ok {
		return "", false
	}
	if flag, ok := object["isError"].(bool); ok {
		return "", flag
	}
	outcome, _ := object["outcome"].(string)
	switch e := object["error"].(type) {
	case nil:
		return "", false
	case string:
		parts := slices.DeleteFunc([]string{outcome, e}, func(s string) bool { return s == "" })
		return strings.Join(parts, ": "), len(parts) > 0
	case bool:
		return "", e
	default:
		return "", true
	}
}

// maxTries bounds the work on texts that are full of braces but hold no JSON.
const maxTries = 8

// findJSON returns the first JSON object, or array at the start of a line, that parses; a bracket
// inside prose is prose. Cut JSON counts when at least one member of it is whole.
func findJSON(text string) (value any, cut bool) {
	at := 0
	for range maxTries {
		next := strings.IndexAny(text[at:], "{[")
		if next < 0 {
			return nil, false
		}
		at += next
		if text[at] == '{' || at == 0 || text[at-1] == '\n' {
			decoder := json.NewDecoder(strings.NewReader(text[at:]))
			decoder.UseNumber()
			if decoder.Decode(&value) == nil {
				return value, false
			}
			if value, ok := salvage(text[at:]); ok {
				return value, true
			}
		}
		at++
	}
	return nil, false
}
