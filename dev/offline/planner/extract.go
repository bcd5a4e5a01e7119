package planner

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"steward/dev/offline/dialog"
)

// extract says the essence of a result: counts of lists and the names of what is in them, sums of
// their numbers, single values, or the first lines of a text.
func extract(result dialog.Result) string {
	var parts []string
	switch value := result.Value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(value)) {
			parts = append(parts, part(key, value[key]))
		}
	case []any:
		parts = append(parts, part("", value))
	default:
		return firstLines(result.Text)
	}
	text := clip(600, strings.Join(parts, "; "))
	if result.Cut {
		text += " (cut)"
	}
	return text
}

func part(key string, value any) string {
	list, isList := value.([]any)
	if !isList {
		return strings.TrimPrefix(key+" = ", " = ") + clip(160, plain(value))
	}
	text := strings.TrimSpace(fmt.Sprintf("%d %s", len(list), key))
	if labels := labels(list); labels != "" {
		text += " (" + labels + ")"
	}
	sums := sums(list)
	for _, key := range slices.Sorted(maps.Keys(sums)) {
		text += fmt.Sprintf(", sum of %s = %.10g", key, sums[key])
	}
	return text
}

// labels names the first items.
func labels(list []any) string {
	const most = 5
	var names []string
	for _, item := range list {
		if len(names) == most {
			names = append(names, "…")
			break
		}
		names = append(names, clip(60, label(item)))
	}
	return strings.Join(names, ", ")
}

func label(item any) string {
	object, ok := item.(map[string]any)
	if !ok {
		return plain(item)
	}
	for _, key := range []string{"name", "title", "subject", "summary", "path", "text", "id"} {
		if value, ok := object[key]; ok {
			return plain(value)
		}
	}
	return plain(item)
}

// sums adds up every numeric field that all items have, except ids.
func sums(list []any) map[string]float64 {
	totals, seen := map[string]float64{}, map[string]int{}
	for _, item := range list {
		object, _ := item.(map[string]any)
		for key, value := range object {
			if n, ok := value.(json.Number); ok && key != "id" {
				f, err := n.Float64()
				if err == nil {
					totals[key] += f
					seen[key]++
				}
			}
		}
	}
	maps.DeleteFunc(totals, func(key string, _ float64) bool { return seen[key] < len(list) })
	return totals
}

func plain(value any) string {
	switch v := value.(type) {
	case nil:
		return "nothing"
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

func firstLines(text string) string {
	const most = 5
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) == 1 {
		return clip(300, lines[0])
	}
	short := make([]string, 0, most)
	for _, line := range lines[:min(most, len(lines))] {
		short = append(short, clip(100, line))
	}
	return fmt.Sprintf("%d lines: %s", len(lines), strings.Join(short, " / "))
}
