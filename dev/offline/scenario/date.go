package scenario

import "time"

// dayOf is the calendar day of a date in one of the notations that mail and calendars use.
func dayOf(value any) string { return instant(value, time.DateOnly) }

// minuteOf is like dayOf, with the time of day if there is one.
func minuteOf(value any) string {
	if text := show(value); len(text) == len(time.DateOnly) {
		return text
	}
	return instant(value, "2006-01-02 15:04")
}

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
