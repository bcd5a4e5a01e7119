package audit

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Problem says what is wrong with a chain, a checkpoint or the two records of one run.
type Problem string

// The problems a verification can find.
const (
	Altered     Problem = "altered"     // an event or head is not what was hashed: edit, time edit, swap, move
	Missing     Problem = "missing"     // events were deleted
	Inserted    Problem = "inserted"    // events that were never appended
	Rewritten   Problem = "rewritten"   // the chain holds, but not with what was signed
	Unsigned    Problem = "unsigned"    // a checkpoint without a valid signature
	RolledBack  Problem = "rolled_back" // a checkpoint outside the database that the database does not know
	Unrecorded  Problem = "unrecorded"  // an activity of Temporal's history without its audit events
	Unexplained Problem = "unexplained" // an audit event that names no activity of Temporal's history
)

// maxFindings bounds a report: a truncated table of a million chains is one fact.
const maxFindings = 1000

// Finding is one broken place. Seq is the first bad event of the chain, or a checkpoint's number when
// Chain is empty, or 0.
type Finding struct {
	Chain   string  `json:"chain,omitempty"`
	Seq     int64   `json:"seq,omitempty"`
	Problem Problem `json:"problem"`
	Detail  string  `json:"detail"`
}

// Report is the result of a verification. Its JSON form is stable.
type Report struct {
	Chains      int64     `json:"chains"`
	Events      int64     `json:"events"`
	Checkpoints int64     `json:"checkpoints"`
	Activities  int64     `json:"activities,omitempty"`     // of Temporal's history
	Forgotten   int64     `json:"forgotten_runs,omitempty"` // Temporal no longer keeps their history
	Findings    []Finding `json:"findings"`
	Omitted     int64     `json:"omitted,omitempty"` // findings beyond the first thousand
	// CannotTell lists what kept the verification from an answer: no database, no public key, no file.
	CannotTell []string      `json:"cannot_tell,omitempty"`
	Elapsed    time.Duration `json:"elapsed_ns"`
}

func (r *Report) add(f Finding) {
	if len(r.Findings) >= maxFindings {
		r.Omitted++
		return
	}
	r.Findings = append(r.Findings, f)
}

func (r *Report) unsure(format string, args ...any) {
	r.CannotTell = append(r.CannotTell, fmt.Sprintf(format, args...))
}

// ExitCode is 0 when everything holds, 1 when something is broken, 2 when it cannot be told.
func (r Report) ExitCode() int {
	switch {
	case len(r.Findings) > 0:
		return 1
	case len(r.CannotTell) > 0:
		return 2
	}
	return 0
}

// WriteText writes the report for people, the first bad event of each chain on a line of its own.
func (r Report) WriteText(w io.Writer) error {
	var b strings.Builder
	b.WriteString([]string{"valid", "BROKEN", "cannot tell"}[r.ExitCode()])
	fmt.Fprintf(&b, ": %d events in %d chains, %d checkpoints", r.Events, r.Chains, r.Checkpoints)
	if r.Activities > 0 {
		fmt.Fprintf(&b, ", %d activities", r.Activities)
	}
	fmt.Fprintf(&b, " (%s)\n", r.Elapsed.Round(time.Millisecond))
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "  %s\n", f)
	}
	if r.Omitted > 0 {
		fmt.Fprintf(&b, "  and %d more\n", r.Omitted)
	}
	for _, reason := range r.CannotTell {
		fmt.Fprintf(&b, "  cannot tell: %s\n", reason)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// String names the place, the problem and why.
func (f Finding) String() string {
	place := f.Chain
	switch {
	case place == "" && f.Seq > 0:
		place = fmt.Sprintf("checkpoint %d", f.Seq)
	case place == "":
		place = "checkpoints"
	case f.Seq != 0:
		place = fmt.Sprintf("%s event %d", place, f.Seq)
	}
	return fmt.Sprintf("%s: %s: %s", place, f.Problem, f.Detail)
}
