package dev

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"steward/dev/stack/process"
	"steward/internal/app"
)

// readyTime bounds the wait for everything together, on a slow machine.
const readyTime = time.Minute

// awaitReady returns when the API says that everything behind it answers. It asks the worker first: the
// API keeps a "not ready" for a second.
func (s *supervisor) awaitReady(ctx context.Context) error {
	for _, check := range []func(context.Context) error{
		polling("http://" + s.places.workerDebug + "/metrics"),
		process.HTTP("http://" + s.places.api + "/ready"),
	} {
		if err := await(ctx, check); err != nil {
			return fmt.Errorf("wait until everything is ready: %w", err)
		}
	}
	s.recorder.ready.Store(true)
	s.say("ready")
	return nil
}

func await(ctx context.Context, check func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	for {
		err := check(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

var errNotPolling = errors.New("the worker does not poll Temporal")

// polling asks the worker's metrics whether it asks Temporal for work.
func polling(url string) func(context.Context) error {
	return func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		defer func() { _ = res.Body.Close() }()
		metrics, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
		if err != nil {
			return err
		}
		if !bytes.Contains(metrics, []byte("\n"+app.Polling+" 1\n")) {
			return errNotPolling
		}
		return nil
	}
}
