package structured

import (
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"steward/dev/offline/dialog"
)

// string is the prose, the currency, or what a tool gave the name, else the shortest text that fits.
func (b *builder) string(s schema, at place) (made, bool) {
	least, most, ok := bounds(s, "minLength", "maxLength")
	if !ok {
		return made{}, false
	}
	known, ok := text(at)
	if carrier := b.carry && !ok && at.text != "" && !is(at.name, currencies) && !s.hasAny("format", "pattern", "default"); carrier {
		known, ok = at.text, true
	}
	if known = shaped(s, known, most); ok && b.fitsText(s, known) {
		b.carry = b.carry && known != at.text
		return made{known, true}, b.take(known)
	}
	for _, v := range []string{"", strings.Repeat("-", min(least, max(0, b.room)))} {
		if b.fitsText(s, v) {
			return made{value: v}, b.take(v)
		}
	}
	return made{}, false
}

func (b *builder) take(v string) bool {
	b.room -= len(v)
	return b.room >= 0
}

// text is what is known for a string of that name.
func text(at place) (string, bool) {
	switch {
	case at.text != "" && !at.item && (at.name == "" || ends(at.name, prose)):
		return at.text, true
	case is(at.name, currencies) && len(at.facts.Totals) > 0:
		return at.facts.Totals[0].Currency, true
	case ends(at.name, amounts) && len(at.facts.Totals) > 0:
		return at.facts.Totals[0].String(), true
	}
	return lookup[string](at)
}

// shaped makes a text fit where that changes nothing of what it says: prose is cut as long as it
// still says whose it is, and a time becomes the date of it.
func shaped(s schema, v string, most int) string {
	if s["format"] == "date" && len(v) > len(time.DateOnly) {
		v = v[:len(time.DateOnly)]
	}
	if strings.HasPrefix(v, dialog.Prefix) && most > len(dialog.Prefix) && utf8.RuneCountInString(v) > most {
		v = string([]rune(v)[:most])
	}
	return v
}

// layouts are the formats that are checked; an empty text stands for none.
var layouts = map[any]string{"date": time.DateOnly, "date-time": time.RFC3339}

// fitsText checks the keywords for strings.
func (b *builder) fitsText(s schema, v string) bool {
	least, most, ok := bounds(s, "minLength", "maxLength")
	if n := utf8.RuneCountInString(v); !ok || n < least || n > most {
		return false
	}
	if layout, ok := layouts[s["format"]]; ok && strings.Trim(v, "-") != "" {
		if _, err := time.Parse(layout, v); err != nil {
			return false
		}
	}
	if !s.hasAny("pattern") {
		return true
	}
	pattern, _ := s["pattern"].(string)
	b.room -= 16 * len(pattern) // compiling is the most work that a schema can ask for
	if b.room < 0 {
		return false
	}
	form, err := regexp.Compile(pattern)
	return err == nil && form.MatchString(v)
}
