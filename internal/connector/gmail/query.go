package gmail

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// dated finds what a search says of time: relative (newer_than:7d) or by day (after:2026/11/14). Quoted text
// is matched first, so that it is left alone.
var dated = regexp.MustCompile(`(?i)"[^"]*"|\b(newer_than|older_than):(\d{1,4})([dmy])\b|\b(after|newer|before|older):(\d{4})[/-](\d{1,2})[/-](\d{1,2})\b`)

// inSeconds rewrites the times of a search as seconds since 1970 (after:1794614400). Gmail takes the day of a
// date as that of the Pacific time zone, and counts newer_than from the moment of the search, so that the same
// call finds something else the next time; seconds say what is meant. They are also all that the emulator in
// our tests understands of relative times.
func inSeconds(query string, now time.Time) string {
	return dated.ReplaceAllStringFunc(query, func(text string) string {
		m := dated.FindStringSubmatch(text)
		switch {
		case m[1] != "":
			since, ok := before(now, m[2], strings.ToLower(m[3]))
			if !ok {
				return text
			}
			if strings.EqualFold(m[1], "newer_than") {
				return fmt.Sprintf("after:%d", since.Unix())
			}
			return fmt.Sprintf("before:%d", since.Unix())
		case m[4] != "":
			day, ok := dayOf(m[5], m[6], m[7])
			if !ok {
				return text
			}
			if strings.EqualFold(m[4], "after") || strings.EqualFold(m[4], "newer") {
				return fmt.Sprintf("after:%d", day.Unix()-1) // the day itself is meant too
			}
			return fmt.Sprintf("before:%d", day.Unix())
		}
		return text
	})
}

func before(now time.Time, count, unit string) (time.Time, bool) {
	n, err := strconv.Atoi(count)
	if err != nil {
		return now, false
	}
	switch unit {
	case "d":
		return now.AddDate(0, 0, -n), true
	case "m":
		return now.AddDate(0, -n, 0), true
	default:
		return now.AddDate(-n, 0, 0), true
	}
}

func dayOf(year, month, day string) (time.Time, bool) {
	at, err := time.Parse("2006-1-2", year+"-"+month+"-"+day)
	return at, err == nil
}
