package mysql_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/dev/counterpart/mariadb"
	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/connector/mysql"
)

// settingsOf are a form that was filled in.
func settingsOf(t testing.TB, d *mariadb.Database, a mariadb.Account, more map[string]any) connector.Settings {
	t.Helper()
	values := map[string]any{"host": "127.0.0.1", "port": d.Port, "database": d.Name, "username": a.Username, "password": a.Password}
	for name, value := range more {
		values[name] = value
	}
	settings, err := mysql.New().Form.Read(values)
	require.NoError(t, err)
	return settings
}

func dial(ctx context.Context, network, address string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, address)
}

func open(t testing.TB, settings connector.Settings, dial connector.Dial) connector.Link {
	t.Helper()
	link, err := mysql.New().Form.Open(settings, dial)
	require.NoError(t, err)
	t.Cleanup(link.Close)
	return link
}

// connection is one user's connection to a database.
type connection struct {
	t    testing.TB
	link connector.Link
}

func connect(t testing.TB, d *mariadb.Database, a mariadb.Account) *connection {
	t.Helper()
	return &connection{t, open(t, settingsOf(t, d, a, nil), dial)}
}

func toolNamed(t testing.TB, name string) connector.Tool {
	t.Helper()
	tool, ok := mysql.New().Find(name)
	require.True(t, ok, name)
	return tool
}

// call makes one call and decodes its result into out.
func (c *connection) call(name string, arguments any, out any) error {
	c.t.Helper()
	return c.attempt(name, newCall(c.t, arguments), out)
}

func (c *connection) attempt(name string, call *call, out any) error {
	c.t.Helper()
	result, err := toolNamed(c.t, name).Call(c.t.Context(), &connector.Session{Link: c.link}, call.made())
	if err == nil && out != nil {
		require.NoError(c.t, json.Unmarshal(result.Structured, out))
	}
	return err
}

func (c *connection) probe(call *call) (automation.Outcome, string) {
	c.t.Helper()
	found, err := toolNamed(c.t, "DB_WRITE").Probe(c.t.Context(), &connector.Session{Link: c.link}, call.made())
	require.NoError(c.t, err)
	return found.Outcome, string(found.Result.Structured)
}

// query returns the rows as JSON.
func (c *connection) query(sql string) (string, error) {
	c.t.Helper()
	var answer struct{ Rows json.RawMessage }
	err := c.call("DB_QUERY", map[string]string{"query": sql}, &answer)
	return string(answer.Rows), err
}

func (c *connection) refuses(sql string) *connector.Error {
	c.t.Helper()
	rows, err := c.query(sql)
	require.Error(c.t, err, "%s: %s", sql, rows)
	return failure(c.t, err)
}

// call keeps what it notes, as the ledger does.
type call struct {
	id        string
	arguments json.RawMessage
	receipt   string
}

func newCall(t testing.TB, arguments any) *call {
	t.Helper()
	doc, err := json.Marshal(arguments)
	require.NoError(t, err)
	return &call{id: "call_" + rand.Text(), arguments: doc}
}

func (c *call) made() connector.Call {
	return connector.Call{ID: c.id, Arguments: c.arguments, Receipt: c.receipt, Note: func(_ context.Context, receipt string) error {
		c.receipt = receipt
		return nil
	}}
}

// failure is the *connector.Error of a call that must fail.
func failure(t testing.TB, err error) *connector.Error {
	t.Helper()
	e := &connector.Error{}
	require.ErrorAs(t, err, &e)
	return e
}

func count(d *mariadb.Database, table string) int {
	n, _ := strconv.Atoi(d.Text("SELECT COUNT(*) FROM " + d.Name + "." + table))
	return n
}
