package doctor

import (
	"context"
	"log/slog"
	"net"
	"net/url"
	"os"
	"time"

	"go.temporal.io/sdk/client"

	"steward/dev/stack/postgres"
	"steward/internal/app/dev"
	"steward/internal/fault"
	"steward/internal/store"
)

// dialTime bounds one attempt to reach something.
const dialTime = 3 * time.Second

// database reaches the one that is set, or tries whether a private one can be run: half a second in all,
// and nothing less shows that the programs that are there can be used by this user.
func database(ctx context.Context, s *subject) Finding {
	if !s.cfg.Database.URL.IsZero() {
		return reachDatabase(ctx, s)
	}
	server, err := postgres.Temporary(ctx, slog.New(slog.DiscardHandler))
	switch {
	case fault.CodeOf(err) == postgres.CodeMissing:
		return missing("steward dev tries to install it; or set DATABASE_URL", "%s", fault.Text(err))
	case err != nil:
		return missing("set DATABASE_URL to a PostgreSQL that runs", "a private one cannot be run: %s", err)
	}
	if err := server.Stop(ctx); err != nil {
		return warning("look for a process postgres that is left", "a private one runs, and does not end")
	}
	return good("a private one can be run")
}

func reachDatabase(ctx context.Context, s *subject) Finding {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	db, err := store.Open(ctx, s.cfg.Database.URL, 1)
	if err != nil {
		return missing("correct DATABASE_URL", "%s", err)
	}
	defer db.Close()
	if err := db.Pool.Ping(ctx); err != nil {
		return missing("start it, or correct DATABASE_URL", "the one of DATABASE_URL does not answer")
	}
	if _, err := db.CountQueued(ctx, 1); err != nil {
		return missing("steward migrate", "the one of DATABASE_URL answers, without our tables")
	}
	return good("the one of DATABASE_URL answers")
}

func temporal(ctx context.Context, s *subject) Finding {
	if address, _ := s.lookup("TEMPORAL_ADDRESS"); address != "" {
		return reachTemporal(ctx, address)
	}
	exe, err := os.Executable()
	if err != nil {
		return missing("set TEMPORAL_ADDRESS", "our own program is not found")
	}
	switch state := dev.FindTemporal(exe); state {
	case dev.TemporalBuilt:
		return good("the embedded server is built")
	case dev.TemporalSource:
		return warning("steward dev builds it, once: minutes", "the embedded server is not built yet")
	default:
		return missing("make bin/steward-temporal, or set TEMPORAL_ADDRESS", "no embedded server beside this program, and no source of it")
	}
}

func reachTemporal(ctx context.Context, address string) Finding {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	c, err := client.NewLazyClient(client.Options{HostPort: address, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return missing("correct TEMPORAL_ADDRESS", "the address is not usable")
	}
	defer c.Close()
	if _, err := c.CheckHealth(ctx, &client.CheckHealthRequest{}); err != nil {
		return warning("start it, or look whether it wants TLS or a key", "the server at %s does not answer without credentials", address)
	}
	return good("the server at %s answers", address)
}

func apiPort(ctx context.Context, s *subject) Finding {
	if s.running != nil {
		return good("%s, of the running steward dev", s.running.API.Address)
	}
	return port(ctx, s.cfg.HTTP.Listen, "STEWARD_LISTEN")
}

func uiPort(ctx context.Context, s *subject) Finding {
	if s.running != nil {
		return good("%s, of the running steward dev", s.running.UI.Address)
	}
	u, err := url.Parse(s.cfg.Temporal.UIURL)
	if err != nil {
		return missing("correct STEWARD_TEMPORAL_UI_URL", "it is no URL")
	}
	return port(ctx, u.Host, "STEWARD_TEMPORAL_UI_URL")
}

func port(ctx context.Context, address, setting string) Finding {
	var c net.ListenConfig
	l, err := c.Listen(ctx, "tcp", address)
	if err != nil {
		return missing("stop what listens there, or set "+setting, "%s is taken", address)
	}
	if err := l.Close(); err != nil {
		return warning("look again", "%s", address)
	}
	return good("%s is free", address)
}
