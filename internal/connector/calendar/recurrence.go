package calendar

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	calendarapi "google.golang.org/api/calendar/v3"
)

const (
	mostRules = 5
	ruleName  = "RRULE:"
)

// parts are those of a rule, as RFC 5545 section 3.3.10 has them.
var parts = map[string]*regexp.Regexp{
	"FREQ":       regexp.MustCompile(`^(DAILY|WEEKLY|MONTHLY|YEARLY)$`), // Calendar repeats nothing more often
	"UNTIL":      regexp.MustCompile(`^\d{8}(T\d{6}Z?)?$`),
	"COUNT":      number,
	"INTERVAL":   number,
	"BYDAY":      oneOrMore(`([+-]?[1-9]\d?)?(MO|TU|WE|TH|FR|SA|SU)`),
	"BYMONTHDAY": oneOrMore(`[+-]?[1-9]\d?`),
	"BYYEARDAY":  oneOrMore(`[+-]?[1-9]\d{0,2}`),
	"BYWEEKNO":   oneOrMore(`[+-]?[1-9]\d?`),
	"BYMONTH":    oneOrMore(`[1-9]\d?`),
	"BYSETPOS":   oneOrMore(`[+-]?[1-9]\d{0,2}`),
	"BYHOUR":     oneOrMore(`\d{1,2}`),
	"BYMINUTE":   oneOrMore(`\d{1,2}`),
	"BYSECOND":   oneOrMore(`\d{1,2}`),
	"WKST":       regexp.MustCompile(`^(MO|TU|WE|TH|FR|SA|SU)$`),
}

var number = regexp.MustCompile(`^[1-9]\d{0,4}$`)

func oneOrMore(one string) *regexp.Regexp { return regexp.MustCompile(`^` + one + `(,` + one + `)*$`) }

// repeats checks how an event repeats that begins then. Times repeat in a zone, since an offset changes with summer.
func repeats(rules []string, start *calendarapi.EventDateTime) error {
	if len(rules) > 0 && start.Date == "" && start.TimeZone == "" {
		return errors.New("recurrence: it needs time_zone")
	}
	for _, r := range rules {
		if err := rule(r); err != nil {
			return fmt.Errorf("recurrence: %q %w", r, err)
		}
	}
	return nil
}

// rule checks one line. The error goes on where the line ends.
func rule(line string) error {
	text, named := strings.CutPrefix(line, ruleName)
	if !named {
		return errors.New("lacks " + ruleName + " at its beginning")
	}
	said := map[string]bool{}
	for part := range strings.SplitSeq(text, ";") {
		name, value, _ := strings.Cut(part, "=")
		form, known := parts[name]
		switch {
		case !known || said[name]:
			return fmt.Errorf("has a part %q that is unknown, or said twice", name)
		case !form.MatchString(value):
			return fmt.Errorf("has a %s that is none: %q", name, value)
		}
		said[name] = true
	}
	switch {
	case !said["FREQ"]:
		return errors.New("lacks FREQ")
	case said["COUNT"] && said["UNTIL"]:
		return errors.New("has both COUNT and UNTIL")
	}
	return nil
}
