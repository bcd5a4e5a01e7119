package main

import (
	"context"
	"log/slog"
	"os"

	"steward/dev/stack/postgres"
	"steward/internal/fault"
)

// postgresMet starts a cluster and stops it, half a second in all: nothing less shows that the binaries that
// are there can be used by this user.
func postgresMet(ctx context.Context) (bool, error) {
	server, err := postgres.Temporary(ctx, slog.New(slog.DiscardHandler))
	switch {
	case fault.CodeOf(err) == postgres.CodeMissing:
		return false, nil
	case err != nil:
		return false, err
	}
	return true, server.Stop(ctx)
}

func bringPostgres(ctx context.Context) error { return postgres.Install(ctx, os.Stderr) }
