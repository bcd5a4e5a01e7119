// Command steward-temporal is a whole Temporal server (frontend, history, matching, worker) with its Web UI
// in one process, persisted in PostgreSQL: what `steward dev` and the tests run workflows on.
//
// It is a Go module of its own, because a Temporal server brings some 200 dependencies that the product,
// which only needs the client, must not carry. It listens on loopback alone and asks nobody for credentials.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	// The messages of the embedded server go to standard error too; standard output carries only READY.
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stderr, nil)))
	o, err := parseOptions(os.Args[1:], takeEnv, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		slog.Error("steward-temporal", "err", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if o.lifeline {
		ctx = untilEOF(ctx, os.Stdin)
	}
	if err := run(ctx, o, os.Stdout); err != nil {
		slog.Error("steward-temporal", "err", err)
		os.Exit(1)
	}
}

// run serves until ctx ends, then drains. It writes one line, READY, once workflows can be started.
func run(ctx context.Context, o options, ready io.Writer) error {
	if err := waitForDatabase(ctx, o); err != nil {
		return unlessEnded(ctx, err)
	}
	if err := applySchemas(o); err != nil {
		return err
	}
	server, err := newServer(ctx, o)
	if err != nil {
		return err
	}
	if err := server.Start(); err != nil {
		return fmt.Errorf("start the server: %w", err)
	}
	if o.ui.IsValid() {
		ui := newUI(o)
		serveUI(ui)
		defer ui.Stop()
	}
	return errors.Join(serve(ctx, o, ready), server.Stop())
}

// serve says READY when it is true and waits for ctx to end.
func serve(ctx context.Context, o options, ready io.Writer) error {
	if err := openNamespace(ctx, o); err != nil {
		return unlessEnded(ctx, err)
	}
	if _, err := fmt.Fprintln(ready, "READY"); err != nil {
		return fmt.Errorf("say that the server is ready: %w", err)
	}
	<-ctx.Done()
	return nil
}

// unlessEnded drops the failure of a step that was cut off because the process is to stop.
func unlessEnded(ctx context.Context, err error) error {
	select {
	case <-ctx.Done():
		return nil
	default:
		return err
	}
}

// untilEOF returns a context that also ends when r does. The supervisor holds the other end of r, so its
// death, even by SIGKILL, ends this process on systems that have no parent-death signal.
func untilEOF(parent context.Context, r io.Reader) context.Context {
	ctx, cancel := context.WithCancel(parent)
	go func() {
		defer cancel()
		_, _ = io.Copy(io.Discard, r)
	}()
	return ctx
}
