package rotation

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"math"
	"os"
	"time"

	"steward/internal/store"
)

const (
	announceEvery   = 5 * time.Second
	announceTimeout = 2 * time.Second
	silence         = 30 * time.Second // after which a process counts as gone
)

// Holder keeps the rings of one process as the keys file has them and tells everybody which keys they hold.
type Holder struct {
	db    *store.DB
	rings []Ring
	log   *slog.Logger

	process, role, host string
	pid                 int32
	told                string // the trouble that was logged last
}

// NewHolder makes the Holder of a process in that role.
func NewHolder(db *store.DB, role string, log *slog.Logger, rings ...Ring) (*Holder, error) {
	if db == nil || role == "" || log == nil || len(rings) == 0 {
		return nil, errors.New("a holder of keys needs a database, a role, a logger and rings")
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return &Holder{
		db: db, rings: rings, log: log,
		process: rand.Text(), role: role, host: host, pid: int32(min(os.Getpid(), math.MaxInt32)), //nolint:gosec // bounded
	}, nil
}

// Run holds until ctx ends. A changed keys file is read at once, and what the rings hold then is announced at
// once and every few seconds. While PostgreSQL is away, keys still follow the file.
func (h *Holder) Run(ctx context.Context) {
	changes := follow(ctx, h.log, h.rings)
	defer changes.close()
	defer h.leave(ctx)
	tick := time.NewTicker(announceEvery)
	defer tick.Stop()
	for {
		h.refresh(ctx)
		if !changes.wait(ctx, tick.C) {
			return
		}
	}
}

// refresh reads the file, then tells: what is announced is held already.
func (h *Holder) refresh(ctx context.Context) {
	var trouble error
	for _, r := range h.rings {
		if r.File == "" {
			continue
		}
		changed, err := r.reload()
		trouble = errors.Join(trouble, err)
		if changed {
			h.log.InfoContext(ctx, "keys changed", "ring", r.Name, "keys", r.Keys.KeyIDs())
		}
	}
	trouble = errors.Join(trouble, h.announce(ctx))
	h.complain(ctx, trouble)
}

// announce is not broken off when ctx ends: its statements are at the server together, and what is done there
// after leave would leave names of nobody.
func (h *Holder) announce(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), announceTimeout)
	defer cancel()
	return h.db.Tx(ctx, func(q *store.Queries) error {
		for _, r := range h.rings {
			ids := r.Keys.KeyIDs()
			err := errors.Join(
				q.AnnounceHolder(ctx, store.AnnounceHolderParams{
					Process: h.process, Ring: r.Name, Role: h.role, Host: h.host, PID: h.pid, Follows: r.File != "", KeyIDs: ids,
				}),
				q.NoteRingKeys(ctx, store.NoteRingKeysParams{Ring: r.Name, KeyIDs: ids}),
				q.SettleRingKeys(ctx, store.SettleRingKeysParams{Ring: r.Name, Silence: silence, Sealing: ids[0]}),
			)
			if err != nil {
				return err
			}
		}
		return q.RemoveSilentHolders(ctx, silence)
	})
}

// complain logs a trouble when it begins, not every few seconds while it lasts.
func (h *Holder) complain(ctx context.Context, trouble error) {
	text := ""
	if trouble != nil {
		text = trouble.Error()
	}
	if text != "" && h.told == "" && ctx.Err() == nil {
		h.log.WarnContext(ctx, "keys cannot be followed or announced", "error", trouble)
	}
	h.told = text
}

// leave takes our names out, so that nobody waits for us.
func (h *Holder) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), announceTimeout)
	defer cancel()
	if err := h.db.RemoveHolder(ctx, h.process); err != nil {
		h.log.DebugContext(ctx, "the names of our keys stay a while", "error", err)
	}
}
