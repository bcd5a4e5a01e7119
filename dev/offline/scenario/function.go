package scenario

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"steward/dev/offline/money"
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

// dayOf is the calendar day of a date in one of the notations that mail and calendars use.
func dayOf(value any) string { return instant(value, time.DateOnly) }

func instant(value any, layout string) string {
	text := show(value)
	for _, known := range []string{time.RFC3339, time.DateOnly, time.RFC1123Z, "Mon, 2 Jan 2006 15:04:05 -0700", "2006-01-02 15:04:05"} {
		if t, err := time.Parse(known, text); err == nil {
			if layout == time.RFC3339 {
				t = t.UTC()
			}
			return t.Format(layout)
		}
	}
	return text
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

// due is what one mail asks to be paid: the amounts of its body, else those that the tool reports.
func due(mail any) money.Sum {
	sum := money.Due(show(pick(mail, "body", "text", "snippet")))
	if len(sum) > 0 {
		return sum
	}
	for _, entry := range lookup(mail, "amounts[*]") {
		sum.Add(money.Find(show(pick(entry, "currency")) + " " + show(pick(entry, "amount")))...)
	}
	return sum
}

// total adds up what the mails ask for.
func total(mails []any) money.Sum {
	sum := money.Sum{}
	for _, mail := range mails {
		sum.Plus(due(mail))
	}
	return sum
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

func show(value any) string {
	if value == nil {
		return ""
	}
	return fmt.Sprint(value)
}
