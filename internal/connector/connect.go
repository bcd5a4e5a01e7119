package connector

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/secret"
	"steward/internal/store"
)

const (
	// testTime bounds a test, dialling included.
	testTime = 5 * time.Second
	// mostConnections is how many one user may have.
	mostConnections = 50
)

// CodeNotConnected is the code of the fault for a connection that was not saved because its test failed.
const CodeNotConnected = "connection_failed"

// Filled is a form that somebody has filled in.
type Filled struct {
	Owner  string
	Actor  string
	Kind   *Connector // one with a form
	Values map[string]any
}

// Test finds out within 5 s whether the settings work, and keeps nothing. Its error is a fault of kind Invalid for what
// is filled in wrongly, else an *Error that says what went wrong.
func (c *Connections) Test(ctx context.Context, f Filled) error {
	_, err := c.test(ctx, f)
	return err
}

func (c *Connections) test(ctx context.Context, f Filled) (Settings, error) {
	settings, err := f.Kind.Form.Read(f.Values)
	if err != nil {
		return settings, err
	}
	if _, err := f.Kind.Form.Place(settings); err != nil {
		return settings, err
	}
	ctx, cancel := context.WithTimeout(ctx, testTime)
	defer cancel()
	link, err := f.Kind.Form.Open(settings, c.dial(f.Owner))
	if err != nil {
		return settings, err
	}
	defer link.Close()
	return settings, link.Test(ctx)
}

// Connect tests the settings and saves them under a name. Faults: Invalid for what is filled in wrongly, Conflict for a
// name that the owner has given already, Upstream with CodeNotConnected when the test fails.
func (c *Connections) Connect(ctx context.Context, f Filled, name string) (Connection, error) {
	name, err := NameField.read(name)
	if err != nil {
		return Connection{}, fault.InvalidField("body.name", "%s", err)
	}
	settings, err := c.test(ctx, f)
	if err != nil {
		return Connection{}, refused(err)
	}
	row, err := c.sealed(f, name, settings)
	if err != nil {
		return Connection{}, err
	}
	err = c.db.Tx(ctx, func(q *store.Queries) error {
		n, err := q.InsertConnection(ctx, store.InsertConnectionParams{
			ID: row.ID, Owner: row.Owner, Kind: row.Kind, Name: row.Name, Place: row.Place, Offers: row.Offers,
			SettingsSealed: row.SettingsSealed, Most: mostConnections,
		})
		if err != nil {
			return err
		}
		if n == 0 {
			return c.noRoom(ctx, q, f.Owner, name)
		}
		return audit.Put(ctx, q, eventOf(audit.ConnectionAdded, f.Actor, row))
	})
	if err != nil {
		return Connection{}, fmt.Errorf("save connection: %w", err)
	}
	row.CreatedAt = time.Now()
	return c.of(row), nil
}

// refused is a test that failed, as a fault. What the system has said is for whoever filled in the form.
func refused(err error) error {
	e, ok := asError(err)
	if !ok {
		return err
	}
	return fault.Wrap(err, fault.Upstream, "not connected: %s", e.Reason).WithCode(CodeNotConnected)
}

func (c *Connections) sealed(f Filled, name string, settings Settings) (*store.Connection, error) {
	place, err := f.Kind.Form.Place(settings)
	if err != nil {
		return nil, err
	}
	row := &store.Connection{
		ID: idPrefix + strings.ToLower(rand.Text()[:16]), Owner: f.Owner, Kind: f.Kind.Name, Name: name, Place: place, Offers: []string{},
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
func (c *Connections) noRoom(ctx context.Context, q *store.Queries, owner, name string) error {
	taken, err := q.ConnectionNamed(ctx, store.ConnectionNamedParams{Owner: owner, Name: name})
	if err != nil {
		return err
	}
	if taken {
		return fault.New(fault.Conflict, "a connection named %s is there already", name)
	}
	return fault.New(fault.Conflict, "there are %d connections already: disconnect one first", mostConnections).WithCode("too_many_connections")
}

// Disconnect forgets a connection and what was filled in, and ends its link. Fault: NotFound if the owner has none of
// this id.
func (c *Connections) Disconnect(ctx context.Context, owner, actor, id string) (Connection, error) {
	var row *store.Connection
	err := c.db.Tx(ctx, func(q *store.Queries) (err error) {
		row, err = q.DeleteConnection(ctx, store.DeleteConnectionParams{ID: id, Owner: owner})
		if store.IsNoRows(err) {
			return fault.New(fault.NotFound, "no such connection")
		}
		if err != nil {
			return err
		}
		return audit.Put(ctx, q, eventOf(audit.ConnectionRemoved, actor, row))
	})
	if err != nil {
		return Connection{}, fmt.Errorf("remove connection: %w", err)
	}
	c.links.end(id)
	return c.of(row), nil
}

func eventOf(kind, actor string, row *store.Connection) audit.Event {
	return audit.Event{
		Chain: automation.AuditUser(row.Owner), Key: "connection/" + row.ID + "/" + kind, Kind: kind, Actor: actor,
		Body: map[string]any{"connection": row.ID, "kind": row.Kind, "name": row.Name, "place": row.Place, "offers": row.Offers},
	}
}

// Saved lists what owner has connected with forms, the oldest first.
func (c *Connections) Saved(ctx context.Context, owner string) ([]Connection, error) {
	if c.db == nil {
		return nil, nil
	}
	rows, err := c.db.ListConnections(ctx, owner)
	if err != nil {
		return nil, fmt.Errorf("list connections: %w", err)
	}
	out := make([]Connection, 0, len(rows))
	for _, row := range rows {
		if conn := c.of(row); conn.Connector != nil {
			out = append(out, conn)
		}
	}
	return out, nil
}

// saved is nil if owner has no connection of this id, or its kind is not in the list any more.
func (c *Connections) saved(ctx context.Context, owner, id string) (*Connection, error) {
	if c.db == nil {
		return nil, nil
	}
	row, err := c.db.GetConnection(ctx, store.GetConnectionParams{ID: id, Owner: owner})
	if store.IsNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read connection: %w", err)
	}
	conn := c.of(row)
	if conn.Connector == nil {
		return nil, nil
	}
	return &conn, nil
}

func (c *Connections) of(row *store.Connection) Connection {
	kind, _ := c.Find(row.Kind)
	return Connection{ID: row.ID, Name: row.Name, Connector: kind, row: row}
}
