package store

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// hearIdle is how long a listener waits before it asks whether its connection still lives: a network that drops
// packets in silence would otherwise leave it waiting for ever.
const hearIdle = 30 * time.Second

// Hearing is what happens to whoever hears notifications. Both functions are called by one goroutine.
type Hearing struct {
	Channels []string                   // names of ours, never of a caller's
	Up       func()                     // LISTEN holds: what was notified before may have been missed
	Down     func()                     // the connection is gone, or could not be had
	Told     func(*pgconn.Notification) // in the order of the commits
}

// Hear keeps a connection of its own, outside the pool, on LISTEN until ctx ends, and returns nil then. It
// reconnects by itself, at most 15 s apart. A notification comes once a listener, and never for what was committed
// while nobody listened.
func (db *DB) Hear(ctx context.Context, log *slog.Logger, h Hearing) error {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = 100*time.Millisecond, 15*time.Second
	for {
		err := db.hear(ctx, h, pause.Reset)
		h.Down()
		if ctx.Err() == nil {
			log.WarnContext(ctx, "listener lost its connection", "channels", h.Channels, "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause.NextBackOff()):
		}
	}
}

// hear serves one connection to its end.
func (db *DB) hear(ctx context.Context, h Hearing, listening func()) error {
	conn, err := pgx.ConnectConfig(ctx, db.Pool.Config().ConnConfig.Copy())
	if err != nil {
		return err
	}
	defer func() {
		bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(bye) // it is given up either way
	}()
	if _, err := conn.Exec(ctx, "LISTEN "+strings.Join(h.Channels, "; LISTEN ")); err != nil {
		return err
	}
	listening()
	h.Up()
	for {
		n, err := nextNotification(ctx, conn)
		if err != nil {
			return err
		}
		h.Told(n)
	}
}

func nextNotification(ctx context.Context, conn *pgx.Conn) (*pgconn.Notification, error) {
	for {
		wait, cancel := context.WithTimeout(ctx, hearIdle)
		n, err := conn.WaitForNotification(wait)
		cancel()
		if err == nil {
			return n, nil
		}
		if ctx.Err() != nil || !pgconn.Timeout(err) {
			return nil, err
		}
		ping, cancel := context.WithTimeout(ctx, 5*time.Second)
		err = conn.Ping(ping)
		cancel()
		if err != nil {
			return nil, err
		}
	}
}
