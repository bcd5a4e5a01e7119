package drive

import (
	"fmt"
	"strings"
	"time"
)

var escape = strings.NewReplacer(`\`, `\\`, `'`, `\'`)

// quoted is text as a value of a search.
// https://developers.google.com/workspace/drive/api/guides/search-files#escape-quotes
func quoted(text string) string { return "'" + escape.Replace(text) + "'" }

// kinds are what a search may be narrowed to, as Drive's query language says it.
var kinds = map[string]string{
	"folder":       "mimeType = '" + folder + "'",
	"document":     "mimeType = '" + native + "document'",
	"spreadsheet":  "mimeType = '" + native + "spreadsheet'",
	"presentation": "mimeType = '" + native + "presentation'",
	"pdf":          "mimeType = 'application/pdf'",
	"image":        "mimeType contains 'image/'",
	"text":         "mimeType contains 'text/'",
}

// query writes a search in Drive's language. The error says what the model should do better.
func query(in searchInput) (string, error) {
	terms := []string{"trashed = false"}
	if text := strings.TrimSpace(in.Query); text != "" {
		terms = append(terms, fmt.Sprintf("(name contains %[1]s or fullText contains %[1]s)", quoted(text)))
	}
	if in.Kind != "" {
		term, known := kinds[in.Kind]
		if !known {
			return "", fmt.Errorf("kind: %q is none that is known", in.Kind)
		}
		terms = append(terms, term)
	}
	if in.ModifiedAfter != "" {
		at, err := time.Parse(time.RFC3339, in.ModifiedAfter)
		if err != nil {
			if at, err = time.Parse(time.DateOnly, in.ModifiedAfter); err != nil {
				return "", fmt.Errorf("modified_after: %q is neither a time of RFC 3339 nor a date", in.ModifiedAfter)
			}
		}
		terms = append(terms, "modifiedTime > '"+at.UTC().Format(time.RFC3339)+"'")
	}
	return strings.Join(terms, " and "), nil
}
