package calendar

import (
	"fmt"
	"strings"
	"time"

	calendarapi "google.golang.org/api/calendar/v3"
)

// local is a time whose zone is said elsewhere.
const local = "2006-01-02T15:04:05"

// moment reads when an event begins or ends: a time with its offset, a time in a zone that is named, or a day.
func moment(argument, text, zone string) (*calendarapi.EventDateTime, error) {
	text = strings.TrimSpace(text)
	if _, err := time.Parse(time.DateOnly, text); err == nil {
		return &calendarapi.EventDateTime{Date: text, NullFields: []string{"DateTime", "TimeZone"}}, nil
	}
	out := &calendarapi.EventDateTime{DateTime: text, TimeZone: zone, NullFields: []string{"Date"}}
	if _, err := time.Parse(time.RFC3339, text); err == nil {
		return out, nil
	}
	if len(text) == len("2006-01-02T15:04") {
		out.DateTime += ":00"
	}
	if _, err := time.Parse(local, out.DateTime); err != nil {
		return nil, fmt.Errorf("%s: %q is neither a time of RFC 3339 nor a date", argument, text)
	}
	if zone == "" {
		return nil, fmt.Errorf("%s: a time without an offset needs time_zone", argument)
	}
	return out, nil
}

// span reads when an event is. A day alone as the end is meant as its last day, where Google counts the day after it.
func span(in spanInput) (start, end *calendarapi.EventDateTime, err error) {
	if start, err = moment("start", in.Start, in.TimeZone); err != nil {
		return nil, nil, err
	}
	if end, err = moment("end", in.End, in.TimeZone); err != nil {
		return nil, nil, err
	}
	if (start.Date == "") != (end.Date == "") {
		return nil, nil, fmt.Errorf("start, end: both must be days, or both times")
	}
	if end.Date != "" {
		if end.Date < start.Date {
			return nil, nil, fmt.Errorf("end: it is before start")
		}
		last, err := time.Parse(time.DateOnly, end.Date)
		if err != nil {
			return nil, nil, fmt.Errorf("end: %w", err)
		}
		end.Date = last.AddDate(0, 0, 1).Format(time.DateOnly)
	}
	return start, end, nil
}

// instant reads a bound of a search, which Google takes only with an offset: a day begins in UTC.
func instant(argument, text string) (string, error) {
	if text == "" {
		return "", nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly, local} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.Format(time.RFC3339), nil
		}
	}
	return "", fmt.Errorf("%s: %q is neither a time of RFC 3339 nor a date", argument, text)
}
