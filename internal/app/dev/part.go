package dev

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"steward/dev/offline"
	"steward/dev/stack"
	"steward/dev/stack/process"
)

// The ports that Temporal's own tools expect.
const (
	usualTemporal = 7233
	usualUI       = 8233
)

// startStack starts PostgreSQL and Temporal, or what of them the caller does not have.
func (s *supervisor) startStack(ctx context.Context) (*stack.Stack, error) {
	cfg := stack.Config{
		Data: s.cfg.Data, Log: s.Log, Install: s.Out,
		DatabaseURL: s.cfg.Database.URL, MigrationURL: s.cfg.Database.MigrateURL,
		TemporalAddress: s.places.temporal, TemporalPort: usualTemporal,
		CodecEndpoint: s.places.publicURL + "/codec",
	}
	if s.places.temporal == "" {
		var err error
		if cfg.TemporalBinary, err = temporalBinary(ctx, s.exe, s.Out); err != nil {
			return nil, err
		}
		cfg.UI = true
		if cfg.UIPort, err = portOf(s.places.ui); err != nil {
			return nil, err
		}
		if cfg.UIPort != usualUI {
			cfg.TemporalPort = 0 // a stack beside another one must not race it for the usual port
		}
	}
	return stack.Start(ctx, cfg)
}

// serveConfig runs `steward serve <part>` as a child.
func (s *supervisor) serveConfig(part, debug string, stop time.Duration) process.Config {
	says := map[string]string{
		"STEWARD_DATA":            s.cfg.Data,
		"STEWARD_LISTEN":          s.places.api,
		"STEWARD_PUBLIC_URL":      s.places.publicURL,
		"STEWARD_TEMPORAL_UI_URL": s.places.uiURL,
		"STEWARD_DEBUG_LISTEN":    debug,
		"STEWARD_EGRESS_ALLOW":    strings.Join(append([]string{"127.0.0.0/8", "::1/128"}, s.cfg.Egress.Allow...), ","),
		"DATABASE_URL":            s.stack.DatabaseURL.Reveal(),
	}
	if s.places.temporal == "" {
		says["TEMPORAL_ADDRESS"], says["TEMPORAL_NAMESPACE"] = s.stack.TemporalAddress, "default"
	}
	if s.places.model != "" {
		maps.Copy(says, map[string]string{
			"OPENAI_BASE_URL": "http://" + s.places.model + "/v1", "OPENAI_API_KEY": offlineKey, "STEWARD_MODEL": offline.Model,
		})
	}
	return process.Config{
		Name: part, Path: s.exe, Args: []string{"serve", part, "--lifeline"}, Env: environment(says),
		Log: s.Log, LogFile: s.logFile(part), Lifeline: true, StopTimeout: stop,
	}
}

// offlineKey is no secret: the offline model wants some bearer token and does not look at it.
const offlineKey = "offline"

func (s *supervisor) apiConfig() process.Config {
	c := s.serveConfig("api", s.places.apiDebug, 15*time.Second) // it drains for 10 s
	c.Ready = process.HTTP("http://" + s.places.api + "/health")
	return c
}

func (s *supervisor) workerConfig() process.Config {
	c := s.serveConfig("worker", s.places.workerDebug, 40*time.Second)    // it drains for 30 s
	c.Ready = process.HTTP("http://" + s.places.workerDebug + "/metrics") // Temporal may still be on its way
	return c
}

// startModel starts the offline model unless a real one is configured.
func (s *supervisor) startModel(ctx context.Context) (err error) {
	if s.places.model == "" {
		return nil
	}
	s.model, err = process.Start(ctx, process.Config{
		Name: "model", Path: s.exe, Args: []string{"sandbox", "model", "--listen", s.places.model, "--lifeline"},
		Env: environment(map[string]string{"STEWARD_DATA": s.cfg.Data}), Log: s.Log, LogFile: s.logFile("model"),
		Lifeline: true, Ready: modelAnswers("http://" + s.places.model + "/v1/models"),
	})
	return err
}

func modelAnswers(url string) func(context.Context) error {
	return func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+offlineKey)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		if err := res.Body.Close(); err != nil {
			return err
		}
		if res.StatusCode != http.StatusOK {
			return fmt.Errorf("the offline model answers %s", res.Status)
		}
		return nil
	}
}

func (s *supervisor) logFile(part string) string {
	return filepath.Join(s.cfg.Data, "logs", part+".log")
}
