package app

import (
	"context"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/jackc/pgx/v5"
)

// A worker that polls holds a shared advisory lock of PostgreSQL under these numbers, on a connection of
// its own. The kernel closes the connection when the process dies, so the lock tells at once what Temporal,
// which remembers a poller for a minute after its death, cannot.
const (
	presenceClass = 0x73746577 // "stew"
	presenceID    = 1
)

// present holds the lock until ctx ends, over restarts of PostgreSQL.
func (s *shared) present(ctx context.Context) {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = 50*time.Millisecond, time.Second
	for ctx.Err() == nil {
		err := s.holdPresence(ctx, pause.Reset)
		if ctx.Err() != nil {
			return
		}
		s.log.DebugContext(ctx, "worker's presence is not held", "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(pause.NextBackOff()):
		}
	}
}

func (s *shared) holdPresence(ctx context.Context, held func()) error {
	conn, err := pgx.ConnectConfig(ctx, s.db.Pool.Config().ConnConfig)
	if err != nil {
		return err
	}
	defer func() {
		bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(bye) // it is given up either way
	}()
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock_shared($1::int, $2::int)", presenceClass, presenceID); err != nil {
		return err
	}
	held()
	_, err = conn.WaitForNotification(ctx) // none comes: it returns when the connection breaks
	return err
}

// someonePresent reports whether any worker holds the lock.
func (s *shared) someonePresent(ctx context.Context) (bool, error) {
	var present bool
	err := s.db.Pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted
		AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
		AND classid = $1::int AND objid = $2::int AND objsubid = 2)`, presenceClass, presenceID).Scan(&present)
	return present, err
}
