package redis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	driver "github.com/redis/go-redis/v9"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/connector/database"
)

const (
	// markerPrefix begins the keys that say what became of calls.
	markerPrefix = "steward:call:"
	// markerLife is how long they stay.
	markerLife = 7 * 24 * time.Hour
	// leeway is taken off it: the server's clock is not ours.
	leeway = time.Hour
)

// States of a mark; empty: there is none.
const (
	applied   = "applied"
	withdrawn = "withdrawn" // a probe has said that the call failed
)

// mark is the key in the user's database that is set in the same transaction as a call's commands.
type mark struct {
	client *driver.Client
	call   string
}

func (m mark) key() string { return markerPrefix + m.call }

// watch reads the mark and lets fn act on it in a transaction that fails if the mark has changed by then.
func (m mark) watch(ctx context.Context, fn func(tx *driver.Tx, state string) error) error {
	return m.client.Watch(ctx, func(tx *driver.Tx) error {
		state, err := tx.Get(ctx, m.key()).Result()
		if err != nil && !errors.Is(err, driver.Nil) {
			return err
		}
		return fn(tx, state)
	}, m.key())
}

func (m mark) set(ctx context.Context, pipe driver.Pipeliner, state string) *driver.StatusCmd {
	return pipe.Set(ctx, m.key(), state, markerLife)
}

// receipt is noted in the ledger before a transaction leaves.
type receipt struct {
	At int64 `json:"at"` // seconds since 1970
}

func newReceipt() receipt { return receipt{time.Now().Unix()} }

// String is what the ledger keeps.
func (r receipt) String() string {
	doc, err := json.Marshal(r)
	if err != nil {
		panic(err) // a number has a form in JSON
	}
	return string(doc)
}

// probe says what became of a transaction.
func probe(ctx context.Context, s *connector.Session, c connector.Call, in writeInput) (automation.Outcome, written, error) {
	if c.Receipt == "" { // the note comes before anything leaves, and the attempt that could have made it has lost its fence
		return automation.OutcomeFailed, written{}, nil
	}
	var r receipt
	if err := json.Unmarshal([]byte(c.Receipt), &r); err != nil {
		return automation.OutcomeUnknown, written{}, fmt.Errorf("decode receipt: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, database.QueryTime)
	defer cancel()
	m := mark{linkOf(s).client, c.ID}
	done, err := m.settle(ctx)
	switch {
	case err != nil:
		return automation.OutcomeUnknown, written{}, err
	case done:
		return automation.OutcomeDone, lost(len(in.Commands)), nil
	case time.Since(time.Unix(r.At, 0)) > markerLife-leeway: // a mark would have expired
		return automation.OutcomeUnknown, written{}, nil
	case m.evicted(ctx):
		return automation.OutcomeUnknown, written{}, nil
	}
	return automation.OutcomeFailed, written{}, nil
}

// settle says whether the transaction was carried out. If not, it changes the mark, so that one that is still on its
// way fails.
func (m mark) settle(ctx context.Context) (done bool, err error) {
	for range 3 { // the mark changes between only if the transaction, or another probe, comes just now
		err = m.watch(ctx, func(tx *driver.Tx, state string) error {
			if done = state == applied; done {
				return nil
			}
			_, err := tx.TxPipelined(ctx, func(pipe driver.Pipeliner) error {
				m.set(ctx, pipe, withdrawn)
				return nil
			})
			return err
		})
		if !errors.Is(err, driver.TxFailedErr) {
			return done, err
		}
	}
	return false, err
}

// evicted says whether the server is known to have thrown keys away for want of memory: then a mark that is missing
// proves nothing. An account that may not ask cannot be helped: where keys
// are evicted, a mark should not be, so let the policy be noeviction or leave room.
func (m mark) evicted(ctx context.Context) bool {
	info, err := m.client.Info(ctx, "stats").Result()
	if err != nil {
		return false
	}
	n, err := strconv.ParseInt(member(info, "evicted_keys"), 10, 64)
	return err == nil && n > 0
}
