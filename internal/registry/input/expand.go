package input

import (
	"regexp"
	"strings"

	"steward/internal/secret"
)

// placeholder is a variable in a text. Other braces mean themselves.
var placeholder = regexp.MustCompile(`\{([A-Za-z_][A-Za-z0-9_.-]*)\}`)

// placeholders names the variables in a text, each once, in their order.
func placeholders(text string) []string {
	var names []string
	seen := map[string]bool{}
	for _, match := range placeholder.FindAllStringSubmatch(text, -1) {
		if !seen[match[1]] {
			seen[match[1]] = true
			names = append(names, match[1])
		}
	}
	return names
}

// Expand puts values in the place of their names in one pass: what a value holds is not looked at again. A name
// without a value is a *MissingError; nothing is left standing in its place.
func Expand(template string, values map[string]secret.String) (secret.String, error) {
	var out strings.Builder
	var missing []string
	end := 0
	for _, at := range placeholder.FindAllStringSubmatchIndex(template, -1) {
		name := template[at[2]:at[3]]
		value, known := values[name]
		if !known || value.IsZero() {
			missing = append(missing, name)
			continue
		}
		out.WriteString(template[end:at[0]])
		out.WriteString(value.Reveal())
		end = at[1]
	}
	if len(missing) > 0 {
		return secret.String{}, &MissingError{missing}
	}
	out.WriteString(template[end:])
	return secret.New(out.String()), nil
}
