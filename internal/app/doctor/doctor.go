// Package doctor looks at a machine and says what Steward would miss there, and how to get it. It changes
// nothing.
package doctor

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"

	"steward/internal/app/dev"
	"steward/internal/config"
)

// Finding is the result of one look.
type Finding struct {
	What   string `json:"what"`
	State  State  `json:"state"`
	Detail string `json:"detail"`
	Advice string `json:"advice,omitempty"` // what to do
}

// State says how bad it is.
type State string

// Missing is what Steward cannot do without; Warning is what it can.
const (
	Good    State = "ok"
	Warning State = "warning"
	Missing State = "missing"
)

// look examines one thing.
type look struct {
	what string
	at   func(context.Context, *subject) Finding
}

// subject is what is looked at.
type subject struct {
	cfg     *config.Config
	err     error // of reading the settings
	lookup  func(string) (string, bool)
	running *dev.State // nil: no steward dev on the data folder
}

// looks lists everything that is examined, in the order of the report.
func looks() []look {
	return []look{
		{"settings", settings},
		{"data folder", dataFolder},
		{"disk", disk},
		{"keys", keys},
		{"PostgreSQL", database},
		{"Temporal", temporal},
		{"API port", apiPort},
		{"Temporal UI port", uiPort},
		{"Go", toolchain},
		{"Node", node},
		{"MCP servers", children},
		{"model", model},
	}
}

// Examine looks at everything, side by side.
func Examine(ctx context.Context) []Finding {
	s := &subject{lookup: dev.Lookup(os.LookupEnv)}
	s.cfg, s.err = config.Load(s.lookup)
	if state, ok := dev.ReadState(s.cfg.Data); ok {
		s.running = &state
	}
	all := looks()
	findings := make([]Finding, len(all))
	var wg sync.WaitGroup
	for i, l := range all {
		wg.Go(func() {
			findings[i] = l.at(ctx, s)
			findings[i].What = l.what
		})
	}
	wg.Wait()
	return findings
}

// Healthy reports whether nothing required is missing.
func Healthy(findings []Finding) bool {
	for _, f := range findings {
		if f.State == Missing {
			return false
		}
	}
	return true
}

// Write prints the findings for people.
func Write(w io.Writer, findings []Finding) error {
	for _, f := range findings {
		if _, err := fmt.Fprintf(w, "%-8s %-17s %s\n", f.State, f.What, f.Detail); err != nil {
			return err
		}
		if f.Advice != "" && f.State != Good {
			if _, err := fmt.Fprintf(w, "%26s %s\n", "->", f.Advice); err != nil {
				return err
			}
		}
	}
	return nil
}

func good(format string, args ...any) Finding {
	return Finding{State: Good, Detail: fmt.Sprintf(format, args...)}
}

func warning(advice, format string, args ...any) Finding {
	return Finding{State: Warning, Detail: fmt.Sprintf(format, args...), Advice: advice}
}

func missing(advice, format string, args ...any) Finding {
	return Finding{State: Missing, Detail: fmt.Sprintf(format, args...), Advice: advice}
}
