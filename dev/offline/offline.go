// Package offline is the development model offline-rules-1: an HTTP server that speaks the OpenAI
// Responses wire format and answers by rules, without any AI. It lets Steward run, be demonstrated
// and be tested on a machine without a provider, and says what it is wherever it shows.
//
// Three layers answer, the first that knows something wins: simulation words (package simulation,
// used on command only), written scenarios (package scenario), and a planner for free text (package
// planner). Answers are a function of the request alone: ids are hashes of the canonical request,
// and the position in a script is counted in the calls that the request carries. A worker that was
// killed, a replay, and two runs side by side get the same answers.
//
// A request for JSON of a schema gets its final answer in that form (package structured).
//
// Delivery is as with the real service: JSON or server-sent events, in the foreground or in the
// background with polling, resuming and cancelling. What is stored lives in memory and is bounded.
package offline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"time"

	"steward/dev/offline/scenario"
	"steward/internal/automation"
)

// What the model calls itself.
const (
	Model    = automation.OfflineModel
	Provider = automation.OfflineProvider
	Owner    = "steward-offline"
	Banner   = "rule-based development model, no AI"
)

// Options are the settings of a server; the zero value works.
type Options struct {
	Scenarios fs.FS            // *.yaml files in the order of their names; nil means those that ship
	Log       *slog.Logger     // nil means slog.Default
	Clock     func() time.Time // nil means time.Now
}

// Server answers requests. It is safe for concurrent use.
type Server struct {
	scenarios []*scenario.Scenario
	memory    *memory
	attempts  *attempts
	log       *slog.Logger
	clock     func() time.Time
}

// New loads the scenarios; a broken one is an error.
func New(options Options) (*Server, error) {
	if options.Scenarios == nil {
		options.Scenarios = scenario.Builtin()
	}
	if options.Log == nil {
		options.Log = slog.Default()
	}
	if options.Clock == nil {
		options.Clock = time.Now
	}
	scenarios, err := scenario.Load(options.Scenarios)
	if err != nil {
		return nil, fmt.Errorf("offline model: %w", err)
	}
	return &Server{
		scenarios: scenarios,
		memory:    newMemory(),
		attempts:  newAttempts(),
		log:       options.Log,
		clock:     options.Clock,
	}, nil
}

const shutdownTimeout = 2 * time.Second

// Serve answers on the listener until the context ends, then lets running answers finish for two
// seconds. It returns nil after such an end. The listener should be a loopback one.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	server := &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
		defer cancel()
		err := server.Shutdown(grace)
		if errors.Is(err, context.DeadlineExceeded) {
			err = server.Close()
		}
		stopped <- err
	})
	s.log.InfoContext(ctx, "offline model is serving", "model", Model, "what", Banner, "address", listener.Addr().String())
	err := server.Serve(listener)
	if !stop() {
		return <-stopped
	}
	return fmt.Errorf("serve offline model: %w", err)
}
