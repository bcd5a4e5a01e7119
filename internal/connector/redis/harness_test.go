package redis_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	counterpart "steward/dev/counterpart/redis"
	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/connector/database"
	"steward/internal/connector/redis"
)

func direct(ctx context.Context, network, address string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, address)
}

// filled are settings as the form reads them.
type filled map[string]any

func (f filled) open(t testing.TB, dial connector.Dial) connector.Link {
	t.Helper()
	form := redis.New().Form
	settings, err := form.Read(f)
	require.NoError(t, err)
	_, err = form.Place(settings)
	require.NoError(t, err)
	link, err := form.Open(settings, dial)
	require.NoError(t, err)
	t.Cleanup(link.Close)
	return link
}

// as is the form for an account of the server.
func as(s *counterpart.Server, a counterpart.Account) filled {
	return filled{"host": counterpart.Host, "port": s.Port, "username": a.Username, "password": a.Password}
}

// owner is the default account: seed 002's form knows no other.
func owner(s *counterpart.Server) filled {
	return filled{"host": counterpart.Host, "port": s.Port, "password": s.Password}
}

func (f filled) and(name string, value any) filled {
	f[name] = value
	return f
}

func toolNamed(t testing.TB, name string) connector.Tool {
	t.Helper()
	tool, ok := redis.New().Find(name)
	require.True(t, ok, name)
	return tool
}

func arguments(t testing.TB, in any) json.RawMessage {
	t.Helper()
	doc, err := json.Marshal(in)
	require.NoError(t, err)
	return doc
}

// ask makes a query.
func ask(t testing.TB, l connector.Link, line string) (out database.Answer, err error) {
	t.Helper()
	err = call(t, l, "DB_QUERY", map[string]string{"query": line}, &out)
	return out, err
}

// rowsOf are an answer's rows as JSON.
func rowsOf(t testing.TB, a database.Answer) string {
	t.Helper()
	return string(arguments(t, a.Rows))
}

// call makes a call of a tool that reads.
func call(t testing.TB, l connector.Link, name string, in, out any) error {
	t.Helper()
	result, err := toolNamed(t, name).Call(t.Context(), &connector.Session{Link: l}, connector.Call{ID: "call_x", Arguments: arguments(t, in)})
	if err != nil {
		return err
	}
	require.NoError(t, json.Unmarshal(result.Structured, out))
	return nil
}

// failure is the *connector.Error of a call that must fail.
func failure(t testing.TB, err error) *connector.Error {
	t.Helper()
	e := &connector.Error{}
	require.ErrorAs(t, err, &e)
	return e
}

// change is one call that writes. It keeps what it notes as its receipt.
type change struct {
	t       testing.TB
	id      string
	lines   []string
	receipt string
	note    func(context.Context) error
}

func newChange(t testing.TB, lines ...string) *change {
	return &change{t: t, id: "call_" + rand.Text(), lines: lines}
}

func (c *change) call() connector.Call {
	return connector.Call{
		ID: c.id, Arguments: arguments(c.t, map[string]any{"commands": c.lines}), Receipt: c.receipt,
		Note: func(ctx context.Context, receipt string) error {
			c.receipt = receipt
			if c.note != nil {
				return c.note(ctx)
			}
			return nil
		},
	}
}

// written is the answer of DB_WRITE.
type written struct {
	Applied, Failed int
	Results         []struct {
		Answer any
		Error  string
	}
	Note string
}

func (c *change) make(l connector.Link) (out written, err error) {
	c.t.Helper()
	result, err := toolNamed(c.t, "DB_WRITE").Call(c.t.Context(), &connector.Session{Link: l}, c.call())
	if err != nil {
		return out, err
	}
	require.NoError(c.t, json.Unmarshal(result.Structured, &out))
	return out, nil
}

func (c *change) probe(l connector.Link) automation.Outcome {
	c.t.Helper()
	found, err := toolNamed(c.t, "DB_WRITE").Probe(c.t.Context(), &connector.Session{Link: l}, c.call())
	require.NoError(c.t, err)
	return found.Outcome
}
