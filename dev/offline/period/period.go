// Package period understands the time words of an instruction: "last week", "yesterday", "since
// 2026-11-01", "the last 30 days".
package period

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Period is a stretch of whole days. A zero end is open.
type Period struct {
	From   time.Time // first day
	Before time.Time // the day after the last one
}

const day = "2006-01-02"

// String is "from 2026-11-14 to 2026-11-21", both days included; empty when both ends are open.
func (p Period) String() string {
	var words []string
	if !p.From.IsZero() {
		words = append(words, "from "+p.From.Format(day))
	}
	if !p.Before.IsZero() {
		words = append(words, "to "+p.Before.AddDate(0, 0, -1).Format(day))
	}
	return strings.Join(words, " ")
}

var (
	between = regexp.MustCompile(`(?i)\b(?:between|from)\s+(\d{4}-\d\d-\d\d)\s+(?:and|to|until|till)\s+(\d{4}-\d\d-\d\d)\b`)
	since   = regexp.MustCompile(`(?i)\b(?:since|after|from)\s+(\d{4}-\d\d-\d\d)\b`)
	until   = regexp.MustCompile(`(?i)\b(?:before|until|till)\s+(\d{4}-\d\d-\d\d)\b`)
	single  = regexp.MustCompile(`\b(\d{4}-\d\d-\d\d)\b`)
	lastN   = regexp.MustCompile(`(?i)\b(?:last|past|previous)\s+(\d{1,3})\s+(day|week|month)s?\b`)
	named   = regexp.MustCompile(`(?i)\b(?:(last|past|previous|this|next)\s+(week|month|year|7 days)|today|yesterday|tomorrow)\b`)
)

// Find returns the first period that the text names. "Last week" is the seven days before today and
// today itself, because people say it on a Friday and mean the mails they have just received; "last
// month" is the calendar month, because that is how invoices are asked for.
func Find(text string, today time.Time) (Period, bool) {
	if m := between.FindStringSubmatch(text); m != nil {
		return days(m[1], m[2])
	}
	if m := lastN.FindStringSubmatch(text); m != nil {
		n, _ := strconv.Atoi(m[1]) // at most three digits
		from := today.AddDate(0, 0, -n)
		switch strings.ToLower(m[2]) {
		case "week":
			from = today.AddDate(0, 0, -7*n)
		case "month":
			from = today.AddDate(0, -n, 0)
		}
		return Period{from, today.AddDate(0, 0, 1)}, true
	}
	if m := since.FindStringSubmatch(text); m != nil {
		p, ok := days(m[1], m[1])
		return Period{From: p.From}, ok
	}
	if m := until.FindStringSubmatch(text); m != nil {
		p, ok := days(m[1], m[1])
		return Period{Before: p.From}, ok
	}
	if m := single.FindStringSubmatch(text); m != nil {
		return days(m[1], m[1])
	}
	if m := named.FindStringSubmatch(text); m != nil {
		return byName(strings.ToLower(m[0]), strings.ToLower(m[1]), strings.ToLower(m[2]), today), true
	}
	return Period{}, false
}

func days(first, last string) (Period, bool) {
	from, err := time.Parse(day, first)
	if err != nil {
		return Period{}, false
	}
	to, err := time.Parse(day, last)
	return Period{from, to.AddDate(0, 0, 1)}, err == nil && !to.Before(from)
}

func byName(all, which, unit string, today time.Time) Period {
	tomorrow := today.AddDate(0, 0, 1)
	switch all {
	case "today":
		return Period{today, tomorrow}
	case "yesterday":
		return Period{today.AddDate(0, 0, -1), today}
	case "tomorrow":
		return Period{tomorrow, tomorrow.AddDate(0, 0, 1)}
	}
	monday := today.AddDate(0, 0, -(int(today.Weekday())+6)%7)
	first := time.Date(today.Year(), today.Month(), 1, 0, 0, 0, 0, time.UTC)
	newYear := time.Date(today.Year(), 1, 1, 0, 0, 0, 0, time.UTC)
	shift := map[string]int{"this": 0, "next": 1}
	n, ahead := shift[which]
	if !ahead {
		n = -1
	}
	switch unit {
	case "month":
		return Period{first.AddDate(0, n, 0), first.AddDate(0, n+1, 0)}
	case "year":
		return Period{newYear.AddDate(n, 0, 0), newYear.AddDate(n+1, 0, 0)}
	}
	if ahead {
		return Period{monday.AddDate(0, 0, 7*n), monday.AddDate(0, 0, 7*n+7)}
	}
	return Period{today.AddDate(0, 0, -7), tomorrow}
}
