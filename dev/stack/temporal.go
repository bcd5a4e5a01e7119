package stack

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"steward/dev/stack/process"
	"steward/internal/fault"
	"steward/internal/secret"
)

const (
	temporalDatabase   = "temporal"
	visibilityDatabase = "temporal_visibility"
)

// startTemporal starts the embedded server on its databases at url.
func (s *Stack) startTemporal(ctx context.Context, cfg Config, url secret.String) error {
	if _, err := os.Stat(cfg.TemporalBinary); err != nil {
		return fault.Wrap(err, fault.Unavailable, "the Temporal server program is missing; type: make bin/steward-temporal").
			WithCode("temporal_missing")
	}
	for attempt := 1; ; attempt++ {
		began := time.Now()
		err := s.startTemporalOnce(ctx, cfg, url)
		if err == nil || ctx.Err() != nil || attempt == temporalStarts || time.Since(began) > temporalSoon {
			return err
		}
		cfg.Log.WarnContext(ctx, "Temporal ended while it started; once more, on other ports", "error", err)
	}
}

const (
	// temporalStarts is how often it is started: its services listen on ports that were free a moment before, and
	// somebody else may be quicker.
	temporalStarts = 3
	temporalSoon   = 10 * time.Second // what fails later does not fail for that
)

func (s *Stack) startTemporalOnce(ctx context.Context, cfg Config, url secret.String) (err error) {
	if s.TemporalAddress, err = loopback(ctx, cfg.TemporalPort); err != nil {
		return err
	}
	if cfg.UI {
		if s.UIAddress, err = loopback(ctx, cfg.UIPort); err != nil {
			return err
		}
	}
	s.Temporal, err = process.Start(ctx, process.Config{
		Name: "temporal", Path: cfg.TemporalBinary, Log: cfg.Log,
		LogFile: filepath.Join(cfg.Data, "logs", "temporal.log"),
		Args: []string{
			"-listen", s.TemporalAddress, "-ui", s.UIAddress, "-codec-endpoint", cfg.CodecEndpoint,
			"-database", temporalDatabase, "-visibility", visibilityDatabase, "-lifeline",
		},
		Env:          []string{"STEWARD_TEMPORAL_DATABASE_URL=" + url.Reveal()},
		Lifeline:     true,
		ReadyLine:    "READY",
		StartTimeout: 90 * time.Second, // it waits 30 s for PostgreSQL and 30 s for its namespace
	})
	return err
}

// loopback is an address of this machine alone, at port if it is free.
func loopback(ctx context.Context, port int) (string, error) {
	port, err := process.FreePort(ctx, port)
	if err != nil {
		return "", err
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), nil
}
