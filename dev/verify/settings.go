package main

import (
	"fmt"
	"slices"
	"strings"

	"steward/internal/config"
)

// table is Markdown for people.
func table(rows []config.Row) string {
	var b strings.Builder
	b.WriteString("| Variable | Default | What it is |\n|---|---|---|\n")
	for _, row := range rows {
		value := ""
		if row.Default != "" {
			value = "`" + row.Default + "`"
		}
		name := "`" + row.Name + "`"
		if row.Secret {
			name += " 🔒"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", name, value, strings.ReplaceAll(row.Doc, "|", `\|`))
	}
	return b.String()
}

// environment is a file of variables. What a server cannot start without stands open to be filled in; the
// others show their defaults.
func environment(rows []config.Row) string {
	required := config.Serving()
	var b strings.Builder
	for _, row := range rows {
		mark := "#"
		if slices.Contains(required, row.Name) {
			mark = ""
		}
		fmt.Fprintf(&b, "\n# %s\n%s%s=%s\n", row.Doc, mark, row.Name, row.Default)
	}
	b.WriteString("\n")
	return b.String()
}
