package registry

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"steward/internal/store"
)

const (
	// holdClass is the first number of the advisory locks on kept sessions; the second is the session's id.
	holdClass = 0x73657373 // "sess"
	// holdPulse is how often the connection of the locks is looked at.
	holdPulse = time.Second
)

// holds are the kept sessions that this process has. An advisory lock of PostgreSQL on a connection of its own stands
// for each: the kernel closes the connection when the process dies, so others may go on with a session at once and
// never sooner.
type holds struct {
	db   *store.DB
	log  *slog.Logger
	lost func(id int32) // another process has it: we must not use it any more

	mu     sync.Mutex
	conn   *pgx.Conn // nil until something is held
	held   map[int32]int
	closed chan struct{}
}

func newHolds(db *store.DB, log *slog.Logger, lost func(int32)) *holds {
	return &holds{db: db, log: log, lost: lost, held: map[int32]int{}, closed: make(chan struct{})}
}

// take reports whether the session is ours now, or was before: it counts how often.
func (h *holds) take(ctx context.Context, id int32) (bool, error) {
	ctx, cancel := within(ctx)
	defer cancel()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.held[id] == 0 {
		if err := h.connected(ctx); err != nil {
			return false, err
		}
		if locked, err := h.lock(ctx, id); err != nil || !locked {
			return false, err
		}
	}
	h.held[id]++
	return true, nil
}

// leave undoes one take. What is not held stays so.
func (h *holds) leave(ctx context.Context, id int32) {
	ctx, cancel := within(ctx)
	defer cancel()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.held[id] > 1 {
		h.held[id]--
		return
	}
	if h.held[id] == 0 {
		return
	}
	delete(h.held, id)
	if _, err := h.conn.Exec(ctx, "SELECT pg_advisory_unlock($1::int, $2::int)", holdClass, id); err != nil {
		_ = h.conn.Close(ctx) // the lock ends with it, and watch takes the others again
	}
}

// close lets go of everything.
func (h *holds) close(ctx context.Context) {
	h.mu.Lock()
	defer h.mu.Unlock()
	select {
	case <-h.closed:
	default:
		close(h.closed)
	}
	if h.conn != nil {
		_ = h.conn.Close(ctx)
	}
}

// within is time for the database that no caller who gives up takes away: a statement that is broken off ends its
// connection, and with it every lock.
func within(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), sessionTime)
}

// connected makes the connection if there is none.
func (h *holds) connected(ctx context.Context) error {
	if h.conn != nil {
		return nil
	}
	conn, err := h.connect(ctx)
	if err != nil {
		return err
	}
	h.conn = conn
	go h.watch(context.WithoutCancel(ctx))
	return nil
}

func (h *holds) connect(ctx context.Context) (*pgx.Conn, error) {
	config := h.db.Pool.Config().ConnConfig.Copy()
	for name, value := range map[string]string{"tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3"} {
		config.RuntimeParams[name] = value // a machine that is gone cannot close its connections
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connect for the locks of MCP sessions: %w", err)
	}
	return conn, nil
}

func (h *holds) lock(ctx context.Context, id int32) (locked bool, err error) {
	err = h.conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1::int, $2::int)", holdClass, id).Scan(&locked)
	if err != nil {
		return false, fmt.Errorf("lock MCP session: %w", err)
	}
	return locked, nil
}

// watch renews the connection when it breaks, until close. Who took a session meanwhile keeps it.
func (h *holds) watch(ctx context.Context) {
	pulse := time.NewTicker(holdPulse)
	defer pulse.Stop()
	for {
		select {
		case <-h.closed:
			return
		case <-pulse.C:
		}
		for _, id := range h.renew(ctx) {
			h.log.WarnContext(ctx, "another process has gone on with an mcp session of ours", "session", id)
			h.lost(id)
		}
	}
}

// renew looks whether the connection stands, and else makes another. It returns what could not be locked again.
func (h *holds) renew(ctx context.Context) (lost []int32) {
	ctx, cancel := within(ctx)
	defer cancel()
	h.mu.Lock()
	defer h.mu.Unlock()
	select {
	case <-h.closed:
		return nil
	default:
	}
	if h.conn.Ping(ctx) == nil {
		return nil
	}
	_ = h.conn.Close(ctx)
	conn, err := h.connect(ctx)
	if err != nil {
		h.log.DebugContext(ctx, "mcp sessions are not held", "error", err)
		return nil
	}
	h.conn = conn
	for id := range h.held {
		switch locked, err := h.lock(ctx, id); {
		case err != nil:
			_ = h.conn.Close(ctx) // for the next time
			return lost
		case !locked:
			delete(h.held, id)
			lost = append(lost, id)
		}
	}
	return lost
}
