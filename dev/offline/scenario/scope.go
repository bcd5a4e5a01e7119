package scenario

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"steward/dev/offline/dialog"
	"steward/dev/offline/period"
)

// scope is what templates see as their dot: {{ .Today "-7d" }}, {{ .List "found.emails[*]" }}.
// Its exported methods are the words of the template language.
type scope struct {
	Instruction string
	Item        any // current item of Each

	today   time.Time
	period  period.Period
	tools   map[string]dialog.Tool
	vars    map[string]string
	values  map[string]any
	results []used
}

// used is an answered call of this scenario and the step it belongs to.
type used struct {
	step   string
	tool   string
	result dialog.Result
}

func newScope(s *Scenario, d dialog.Dialog) *scope {
	sc := &scope{
		Instruction: d.Instruction,
		today:       d.Today,
		tools:       map[string]dialog.Tool{},
		vars:        map[string]string{},
		values:      map[string]any{},
	}
	sc.period, _ = period.Find(d.Instruction, d.Today)
	for _, globs := range []map[string]string{s.Needs, s.Wants} {
		for alias, glob := range globs {
			if tool, ok := dialog.Pick(d.Tools, glob); ok {
				sc.tools[alias] = tool
			}
		}
	}
	for name, pattern := range s.Capture {
		sc.vars[name] = pattern.find(d.Instruction)
	}
	return sc
}

const day = "2006-01-02"

var shift = regexp.MustCompile(`^([+-]?\d{1,4})([dwm])$`)

// Today returns a date some days, weeks or months away, such as "-7d", "+1w", "-1m"; "0d" is today.
func (s *scope) Today(by string) (string, error) {
	m := shift.FindStringSubmatch(by)
	if m == nil {
		return "", fmt.Errorf("today: %q is not like -7d, +1w or -1m", by)
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return "", fmt.Errorf("today: %w", err)
	}
	switch m[2] {
	case "w":
		return s.today.AddDate(0, 0, 7*n).Format(day), nil
	case "m":
		return s.today.AddDate(0, n, 0).Format(day), nil
	default:
		return s.today.AddDate(0, 0, n).Format(day), nil
	}
}

// From is the first day that the instruction speaks of, empty when it names none.
func (s *scope) From() string { return date(s.period.From) }

// Before is the day after the last one that the instruction speaks of, empty when it names none.
func (s *scope) Before() string { return date(s.period.Before) }

// Period is "from … to …" for the final text, both days included, empty when there is none.
func (s *scope) Period() string { return s.period.String() }

// Var is a capture, empty when it did not match.
func (s *scope) Var(name string) string { return s.vars[name] }

// Email is the first e-mail address of the instruction.
func (s *scope) Email() string { return address.FindString(s.Instruction) }

// Has reports whether the tool of an alias is offered.
func (s *scope) Has(alias string) bool { _, ok := s.tools[alias]; return ok }

// Tool is the full name of the tool of an alias, empty if it is not offered.
func (s *scope) Tool(alias string) string { return s.tools[alias].Name }

// List is every value at a path such as "found.emails|messages[*].id".
func (s *scope) List(path string) []any { return lookup(s.values, path) }

// Get is the first value at a path, "" when there is none.
func (s *scope) Get(path string) any {
	if list := s.List(path); len(list) > 0 && list[0] != nil {
		return list[0]
	}
	return ""
}

// Number is the first value at a path if it is a whole number, else 0.
func (s *scope) Number(path string) int {
	n, err := strconv.Atoi(show(s.Get(path)))
	if err != nil {
		return 0
	}
	return n
}

// Done reports whether a step was played and at least one of its calls succeeded.
func (s *scope) Done(step string) bool { _, ok := s.values[step]; return ok }

// Failure is the text of the first failed call of a step, "" when none failed.
func (s *scope) Failure(step string) string {
	for _, u := range s.results {
		if u.step == step && u.result.Failed {
			return Clip(200, u.result.Text)
		}
	}
	return ""
}

func date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(day)
}
