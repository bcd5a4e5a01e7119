package connector

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/idempotency"
	"steward/internal/secret"
	"steward/internal/store"
)

// mostConnections is how many one user may have.
const mostConnections = 50

// connectRoute names Connect among the idempotency keys.
const connectRoute = "POST /api/databases/connect"

// Codes of faults of Connect beside those of package idempotency.
const (
	CodeNotConnected = "connection_failed" // Upstream: the test failed, and nothing was saved
	CodeNameTaken    = "name_taken"        // Conflict
	CodeTooMany      = "too_many_connections"
	CodeGone         = "idempotency_gone" // Conflict: what the Idempotency-Key connected is disconnected again
)

// Filled is a form that somebody has filled in.
type Filled struct {
	Owner  string
	Actor  string
	Kind   *Connector // one with a form
	Values map[string]any
	Key    string // the caller's Idempotency-Key, for Connect; empty: none
	NameAt string // the member that gave the name, for Connect; empty: NameField
}

// Connect tests the settings and saves them under a name. Replayed means that the same Idempotency-Key has connected
// it before. Faults: Invalid for what is filled in wrongly, Conflict for a name that the owner has given already,
// Upstream with CodeNotConnected when the test fails.
func (c *Connections) Connect(ctx context.Context, f Filled, name string) (made Connection, replayed bool, err error) {
	name, wrong := NameField.read(name)
	settings, place, err := f.read()
	switch {
	case wrong != nil:
		return made, false, f.unnamed(wrong, err)
	case err != nil:
		return made, false, err
	}
	once, err := f.once(name, place, settings)
	if err != nil {
		return made, false, err
	}
	earlier, err := c.earlier(ctx, f.Owner, once)
	switch {
	case err != nil:
		return made, false, err
	case earlier != nil:
		return c.of(earlier), true, nil
	}
	if err := c.try(ctx, f, settings); err != nil {
		return made, false, refused(err)
	}
	row, err := c.sealed(f, name, place, settings)
	if err != nil {
		return made, false, err
	}
	err = c.db.Tx(ctx, func(q *store.Queries) error {
		earlier, err := find(ctx, q, f.Owner, once)
		if err != nil || earlier != nil {
			row, replayed = earlier, earlier != nil
			return err
		}
		return c.save(ctx, q, f, row, once)
	})
	if err != nil {
		return made, false, fmt.Errorf("save connection: %w", err)
	}
	return c.of(row), replayed, nil
}

// unnamed complains about the name, and about the rest of the form if it is not right either.
func (f Filled) unnamed(wrong, rest error) error {
	e := fault.InvalidField("body."+cmp.Or(f.NameAt, NameField.Name), "%s", wrong)
	if more, ok := errors.AsType[*fault.Error](rest); ok {
		e.Fields = append(e.Fields, more.Fields...)
	}
	return e
}

func (c *Connections) save(ctx context.Context, q *store.Queries, f Filled, row *store.Connection, once idempotency.Once) error {
	n, err := q.InsertConnection(ctx, store.InsertConnectionParams{
		ID: row.ID, Owner: row.Owner, Kind: row.Kind, Name: row.Name, Place: row.Place, Offers: row.Offers,
		SettingsSealed: row.SettingsSealed, Most: mostConnections,
	})
	if err != nil {
		return fmt.Errorf("insert connection: %w", err)
	}
	if n == 0 {
		return noRoom(ctx, q, row)
	}
	if err := audit.Put(ctx, q, eventOf(audit.ConnectionAdded, f.Actor, row)); err != nil {
		return err
	}
	return once.Keep(ctx, q, f.Owner, http.StatusCreated, row.ID)
}

// refused is a test that failed, as a fault. What the system has said is for whoever filled in the form.
func refused(err error) error {
	e, ok := asError(err)
	if !ok {
		return err
	}
	return fault.Wrap(err, fault.Upstream, "not connected: %s", e.Reason).WithCode(CodeNotConnected)
}

func (c *Connections) sealed(f Filled, name, place string, settings Settings) (*store.Connection, error) {
	row := &store.Connection{
		ID: idPrefix + strings.ToLower(rand.Text()[:16]), Owner: f.Owner, Kind: f.Kind.Name, Name: name, Place: place, Offers: []string{},
		CreatedAt: time.Now(),
	}
	for _, t := range f.Kind.Tools {
		if t.Needs != "" && settings.Ticked(t.Needs) {
			row.Offers = append(row.Offers, t.Needs)
		}
	}
	doc, err := settings.encode()
	if err != nil {
		return nil, err
	}
	row.SettingsSealed, err = c.ring.Seal(settingsBinding(row), doc)
	return row, err
}

func settingsBinding(row *store.Connection) secret.Binding {
	return secret.Binding{Owner: row.Owner, Purpose: "connection.settings", Ref: row.ID}
}

// noRoom says why a connection could not be saved.
func noRoom(ctx context.Context, q *store.Queries, row *store.Connection) error {
	taken, err := q.ConnectionNamed(ctx, store.ConnectionNamedParams{Owner: row.Owner, Name: row.Name})
	if err != nil {
		return fmt.Errorf("look for connection of that name: %w", err)
	}
	if taken {
		return fault.New(fault.Conflict, "Connection with name %s already exists", row.Name).WithCode(CodeNameTaken)
	}
	return fault.New(fault.Conflict, "there are %d connections already: disconnect one first", mostConnections).WithCode(CodeTooMany)
}

func eventOf(kind, actor string, row *store.Connection) audit.Event {
	return audit.Event{
		Chain: automation.AuditUser(row.Owner), Key: "connection/" + row.ID + "/" + kind, Kind: kind, Actor: actor,
		Body: map[string]any{"connection": row.ID, "kind": row.Kind, "name": row.Name, "place": row.Place, "offers": row.Offers},
	}
}
