package audit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/mod/sumdb/note"

	"steward/internal/secret"
	"steward/internal/store"
)

const (
	checkpointEvery = time.Minute
	chainPage       = 10_000 // chains read at once
	checkpointPage  = 50     // checkpoints read at once: each may hold megabytes of heads
)

// Checkpointer signs what the chains are every minute. Each checkpoint appends the heads that moved since
// the last one to a Merkle log and signs its root, so a signature covers every head ever signed. It goes
// to PostgreSQL, to a file and to the log: a copy outside the database is what reveals a rollback of it.
//
// Any number of processes may run one; an advisory lock lets one of them sign at a time.
type Checkpointer struct {
	db     *store.DB
	signer note.Signer
	keys   note.Verifiers
	file   string // "" keeps none
	log    *slog.Logger
	state  *signedState
}

// signedState is what has been signed so far.
type signedState struct {
	last   int64 // id of the last checkpoint
	heads  headLog
	seqs   map[string]int64 // the last signed event of each chain
	events int64            // sum of seqs
}

func (s *signedState) add(h signedHead) {
	s.heads.add(h.record())
	s.events += h.seq - s.seqs[h.chain]
	s.seqs[h.chain] = h.seq
}

// NewCheckpointer takes the private key of GenerateKey. The file is made with mode 0600 and only ever
// appended to; put it on another disk, or ship the log.
func NewCheckpointer(db *store.DB, key secret.String, file string, log *slog.Logger) (*Checkpointer, error) {
	if db == nil || log == nil {
		return nil, errors.New("checkpointer: database and logger are required")
	}
	signer, err := note.NewSigner(key.Reveal())
	if err != nil {
		return nil, errKey
	}
	public, err := PublicKey(key)
	if err != nil {
		return nil, err
	}
	verifier, err := note.NewVerifier(public)
	if err != nil {
		return nil, errKey
	}
	return &Checkpointer{db: db, signer: signer, keys: note.VerifierList(verifier), file: file, log: log}, nil
}

// Run signs every minute until ctx ends and once more then. It returns nil: a checkpoint that fails is
// logged and tried again.
func (c *Checkpointer) Run(ctx context.Context) error {
	tick := time.NewTicker(checkpointEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
			defer cancel()
			c.attempt(last)
			return nil
		case <-tick.C:
			c.attempt(ctx)
		}
	}
}

func (c *Checkpointer) attempt(ctx context.Context) {
	if _, err := c.Checkpoint(ctx); err != nil && ctx.Err() == nil {
		c.log.ErrorContext(ctx, "audit checkpoint failed", "error", err)
	}
}

// Checkpoint signs now and returns the number of heads signed: 0 when nothing has changed or another
// process is at it. It must not be called concurrently.
func (c *Checkpointer) Checkpoint(ctx context.Context) (int, error) {
	var signed *fileEntry
	var heads int
	err := c.db.Tx(ctx, func(q *store.Queries) error {
		locked, err := q.TryCheckpointLock(ctx)
		if err != nil || !locked {
			return err
		}
		if err := c.catchUp(ctx, q); err != nil {
			return err
		}
		moved, err := c.moved(ctx, q)
		if err != nil || len(moved) == 0 {
			return err
		}
		heads = len(moved)
		signed, err = c.sign(ctx, q, moved)
		return err
	})
	if err != nil {
		c.state = nil // what was signed is known only from the database
		return 0, fmt.Errorf("audit checkpoint: %w", err)
	}
	if signed == nil {
		return 0, nil
	}
	c.log.InfoContext(ctx, "audit checkpoint", "id", signed.ID, "heads", heads, "note", signed.Note)
	if err := appendCheckpoint(c.file, *signed); err != nil {
		return heads, fmt.Errorf("audit checkpoint %d is not in the file: %w", signed.ID, err)
	}
	return heads, nil
}

// catchUp reads the checkpoints that this process has not made itself.
func (c *Checkpointer) catchUp(ctx context.Context, q *store.Queries) error {
	if c.state == nil {
		c.state = &signedState{seqs: map[string]int64{}}
	}
	for {
		page, err := q.ListCheckpoints(ctx, store.ListCheckpointsParams{AfterID: c.state.last, PageSize: checkpointPage})
		if err != nil {
			return err
		}
		for _, row := range page {
			if err := eachHead(row.Heads, c.state.add); err != nil {
				return fmt.Errorf("checkpoint %d: %w", row.ID, err)
			}
			c.state.last = row.ID
		}
		if len(page) < checkpointPage {
			return nil
		}
	}
}

// moved lists the heads that are not signed yet.
func (c *Checkpointer) moved(ctx context.Context, q *store.Queries) ([]signedHead, error) {
	sum, err := q.SumChains(ctx)
	if err != nil || sum.Chains == int64(len(c.state.seqs)) && sum.Events == c.state.events {
		return nil, err
	}
	var moved []signedHead
	for after := ""; ; {
		page, err := q.ListChains(ctx, store.ListChainsParams{AfterChain: after, PageSize: chainPage})
		if err != nil {
			return nil, err
		}
		for _, row := range page {
			if row.Seq > c.state.seqs[row.Chain] {
				moved = append(moved, signedHead{row.Chain, row.Seq, row.Head})
			}
			after = row.Chain
		}
		if len(page) < chainPage {
			return moved, nil
		}
	}
}

func (c *Checkpointer) sign(ctx context.Context, q *store.Queries, moved []signedHead) (*fileEntry, error) {
	for _, h := range moved {
		c.state.add(h)
	}
	t := tree{c.state.heads.size, c.state.heads.root()}
	msg, err := note.Sign(&note.Note{Text: t.text(c.signer.Name())}, c.signer)
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	packed, err := packHeads(moved)
	if err != nil {
		return nil, err
	}
	row, err := q.InsertCheckpoint(ctx, store.InsertCheckpointParams{
		Chains: int64(len(c.state.seqs)), Heads: packed, Note: string(msg),
	})
	if err != nil {
		return nil, err
	}
	c.state.last = row.ID
	return &fileEntry{ID: row.ID, At: row.At.UTC(), Note: string(msg)}, nil
}
