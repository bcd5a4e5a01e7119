// Command bench measures what Steward adds to the bare operation below it, both in one run on the same
// machine: accepting a run against an INSERT, a run against a bare Temporal workflow, a tool call through the
// executor, or through the gateway, against the call itself, an audit event against an INSERT, and reading a chain
// against verifying it.
//
// It starts everything itself: PostgreSQL with fsync on, Temporal, the offline model, the sandbox servers and
// a worker in a process of its own. Ours and bare alternate, so that noise hits both. Nothing passes or fails.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"steward/internal/launch/process"
)

// longest bounds a whole run of the benchmark.
const longest = 10 * time.Minute

func main() {
	process.Become() // the sandbox servers begin as us
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	if err := bench(ctx, os.Args[1:], os.Stdout, log); err != nil {
		log.Error("bench", "error", err)
		os.Exit(1)
	}
}

// bench is the benchmark, or with arguments one of the programs that it starts beside itself.
func bench(ctx context.Context, args []string, out io.Writer, log *slog.Logger) error {
	if len(args) > 0 {
		return play(ctx, args, log)
	}
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	s, err := openSite(ctx, log)
	if err != nil {
		return err
	}
	err = measure(ctx, s, &report{out: out})
	return errors.Join(err, s.close(context.WithoutCancel(ctx)))
}

// measure runs the stages from the quietest to the one that leaves a backlog behind.
func measure(ctx context.Context, s *site, r *report) error {
	if err := r.head(); err != nil {
		return err
	}
	for _, stage := range []struct {
		name string
		run  func(context.Context, *site, *report) error
	}{
		{"tool calls", benchCalls},
		{"audit", benchAudit},
		{"gateway", benchGateway},
		{"runs", benchRuns},
		{"burst", benchBurst},
	} {
		if err := stage.run(ctx, s, r); err != nil {
			return fmt.Errorf("measure %s: %w", stage.name, err)
		}
	}
	return nil
}
