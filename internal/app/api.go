package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"steward/api"
	"steward/internal/audit"
	"steward/internal/auth"
	"steward/internal/config"
	"steward/internal/durable"
	"steward/internal/fault"
	"steward/internal/telemetry"
)

const (
	drainTime   = 10 * time.Second // for requests under way when we are asked to end
	forgetEvery = time.Hour        // between two clean-ups of expired records
)

// API serves HTTP until ctx ends and then lets requests under way finish. It returns nil after such an
// end. Runs are accepted as long as PostgreSQL is there, also while Temporal is not.
func API(ctx context.Context, cfg *config.Config, log *slog.Logger) error {
	s, err := open(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer s.close()
	closing := make(chan struct{})
	tokens, err := Tokens(cfg)
	if err != nil {
		return err
	}
	authenticate, err := authenticator(cfg, tokens, s.db, log)
	if err != nil {
		return err
	}
	feed, err := audit.NewFeed(s.db, log)
	if err != nil {
		return err
	}
	handler, err := s.handler(tokens, authenticate, feed, closing)
	if err != nil {
		return err
	}
	answers := telemetry.NewTally("steward_http_requests_total", "Requests answered.", "method", "status")
	accepted := telemetry.NewTally("steward_runs_accepted_total", "Runs accepted by this process.")
	server := api.NewServer(ctx, counted(handler, answers, accepted), log)
	listener, err := listen(ctx, cfg.HTTP.Listen)
	if err != nil {
		return err
	}
	log.InfoContext(ctx, "API is serving", "address", listener.Addr().String(), "public_url", cfg.HTTP.PublicURL)
	holding, release := context.WithCancel(context.WithoutCancel(ctx))
	defer release()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer release()
		return serve(ctx, server, listener, closing)
	})
	group.Go(func() error { return s.holdKeys(holding, "api") })
	group.Go(func() error { return feed.Run(ctx) })
	group.Go(func() error { return forget(ctx, log, authenticate.ForgetExpired, s.consent.Forget) })
	group.Go(func() error { return s.consent.Mend(ctx) })
	group.Go(func() error { return s.registry.Watch(ctx) })
	group.Go(func() error { return s.vault.Run(ctx, log) })
	group.Go(func() error {
		return telemetry.ServeDebug(ctx, cfg.HTTP.DebugListen, log,
			telemetry.Runtime(time.Now()), telemetry.Pool(s.db.Pool), answers.Metrics, accepted.Metrics)
	})
	return group.Wait()
}

func (s *shared) handler(tokens *auth.Tokens, authenticate *auth.Authenticator, feed *audit.Feed, closing <-chan struct{}) (http.Handler, error) {
	tickets, err := Tickets(s.cfg)
	if err != nil {
		return nil, err
	}
	return api.New(api.Deps{
		DB: s.db, Runs: s.runs, Authenticator: authenticate, Tokens: tokens, Tickets: tickets, Ring: s.ring,
		Codec: durable.Codec(s.codec), Consent: s.consent, Connections: s.connections, Executor: s.executor, Registry: s.registry, Install: s.importPackage, Packages: s.packages, Vault: s.vault, Feed: feed, Probes: s.probes(), Log: s.log,
		PublicURL: s.cfg.HTTP.PublicURL, TemporalUI: s.cfg.Temporal.UIURL, Namespace: s.namespace,
		MaxBody: s.cfg.Limits.Body,
		Rates: api.Rates{
			Create: s.cfg.Rates.Create, Read: s.cfg.Rates.Read, APIKey: s.cfg.Rates.PerKey, MCP: s.cfg.Rates.MCP, Calls: s.cfg.Rates.Calls, Login: s.cfg.Rates.Login, Streams: s.cfg.Rates.Streams,
		},
		Closing: closing,
	})
}

// listen takes the address or says which setting to change.
func listen(ctx context.Context, address string) (net.Listener, error) {
	var c net.ListenConfig
	l, err := c.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fault.Wrap(err, fault.Unavailable, "cannot listen on %s: stop what does, or set STEWARD_LISTEN to another address", address)
	}
	return l, nil
}

// serve answers until ctx ends; then streams are told to end and requests under way may finish.
func serve(ctx context.Context, server *http.Server, l net.Listener, closing chan<- struct{}) error {
	drained := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		close(closing)
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
		defer cancel()
		err := server.Shutdown(grace)
		if errors.Is(err, context.DeadlineExceeded) {
			err = server.Close()
		}
		drained <- err
	})
	err := server.Serve(l)
	if stop() {
		return fmt.Errorf("serve API: %w", err)
	}
	return <-drained
}

// forget drops records that have expired: of logouts, of sign-ins that nobody has finished.
func forget(ctx context.Context, log *slog.Logger, expired ...func(context.Context) (int64, error)) error {
	tick := time.NewTicker(forgetEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			for _, drop := range expired {
				if _, err := drop(ctx); err != nil {
					log.WarnContext(ctx, "expired records not removed", "error", err)
				}
			}
		}
	}
}
