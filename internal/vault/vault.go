// Package vault keeps what users store for the servers they call: named values, sealed, that go into the user's own
// sessions and calls and come out of no call of ours.
package vault

import (
	"context"
	"errors"
	"time"

	"steward/internal/secret"
	"steward/internal/store"
)

// Limits of what one user stores.
const (
	MaxValue  = 64 << 10 // bytes of one value
	maxValues = 100      // for one server
)

// Vault is safe for concurrent use.
type Vault struct {
	db     *store.DB
	ring   *secret.Ring
	memory memory
	uses   uses
}

// New makes a vault over the database.
func New(db *store.DB, ring *secret.Ring) (*Vault, error) {
	if db == nil || ring == nil {
		return nil, errors.New("vault: database and key ring are required")
	}
	return &Vault{db: db, ring: ring}, nil
}

// Change names what is stored or removed, and by whom.
type Change struct {
	Owner  string // whose it is
	Actor  string // who acts: the owner, or "apikey:<id>"
	Server int64  // which the owner may call: the caller has made sure
	Name   string
}

// Entry is what anybody, its owner included, is told of a stored value.
type Entry struct {
	Server      int64
	ServerName  string
	Name        string
	Fingerprint string // another one for another value; it is of no use across servers or users
	Updated     time.Time
	LastUsed    *time.Time // nil: never; written down a little later than it happens
}

// List returns what owner has stored, ordered by server and name.
func (v *Vault) List(ctx context.Context, owner string) ([]Entry, error) {
	if err := v.flush(ctx); err != nil {
		return nil, err
	}
	rows, err := v.db.ListSecrets(ctx, owner)
	if err != nil {
		return nil, wrap("list secrets", err)
	}
	entries := make([]Entry, 0, len(rows))
	for _, r := range rows {
		entries = append(entries, Entry{r.ServerID, r.ServerName, r.Name, r.Fingerprint, r.UpdatedAt, r.LastUsedAt})
	}
	return entries, nil
}
