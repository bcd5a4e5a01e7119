package scenario

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Clip shortens to n characters on one line.
func Clip(n int, text any) string {
	line := strings.Join(strings.Fields(show(text)), " ")
	if utf8.RuneCountInString(line) <= n {
		return line
	}
	return string([]rune(line)[:n-1]) + "…"
}

// pick returns the first of the keys that an object has, and a value that is no object itself.
func pick(value any, keys ...string) any {
	object, ok := value.(map[string]any)
	if !ok {
		return show(value)
	}
	for _, key := range keys {
		if v, ok := object[key]; ok && v != nil {
			return v
		}
	}
	return ""
}

// sortBy orders a list by the text at a key, dates in any notation by time, equal ones as they came.
func sortBy(key string, list []any) []any {
	sorted := slices.Clone(list)
	slices.SortStableFunc(sorted, func(a, b any) int {
		return strings.Compare(instant(pick(a, key), time.RFC3339), instant(pick(b, key), time.RFC3339))
	})
	return sorted
}

// tally counts the different texts at a key: "a (2), b (1)", the most frequent first.
func tally(key string, list []any) string {
	count := map[string]int{}
	for _, item := range list {
		count[show(pick(item, key))]++
	}
	var names []string
	for name := range count {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if count[a] != count[b] {
			return count[b] - count[a]
		}
		return strings.Compare(a, b)
	})
	for i, name := range names {
		names[i] = fmt.Sprintf("%s (%d)", name, count[name])
	}
	return strings.Join(names, ", ")
}

var identifier = regexp.MustCompile(`^[A-Za-z_][\w$]*(?:\.[A-Za-z_][\w$]*)?$`)

// ident lets only plain identifiers into SQL: names of tables are foreign input.
func ident(name any) (string, error) {
	if text := show(name); identifier.MatchString(text) {
		return text, nil
	}
	return "", fmt.Errorf("ident: not a plain identifier")
}

func join(separator string, list []any) string {
	var parts []string
	for _, item := range list {
		parts = append(parts, show(item))
	}
	return strings.Join(parts, separator)
}

func countLines(text any) int {
	return strings.Count(strings.TrimRight(show(text), "\n")+"\n", "\n")
}

func countWords(text any) int { return len(strings.Fields(show(text))) }

// show is a value as text: nothing for nil, JSON for what has parts.
func show(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case map[string]any, []any:
		data, err := json.Marshal(v)
		if err != nil {
			return ""
		}
		return string(data)
	default:
		return fmt.Sprint(v)
	}
}
