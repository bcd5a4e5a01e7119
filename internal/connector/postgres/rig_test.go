package postgres_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	server "steward/dev/stack/postgres"
	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/connector/postgres"
	"steward/internal/secret"
)

const (
	reader = "reader" // may select
	owner  = "owner"  // owns the database and all in it
)

var password = secret.New("pw " + rand.Text())

// started says that there is a cluster to stop.
var started atomic.Bool

var cluster = sync.OnceValues(func() (*server.TemporaryServer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s, err := server.Temporary(ctx, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	started.Store(true)
	for _, role := range []string{reader, owner} {
		if err := s.EnsureRole(ctx, server.Role{Name: role, Password: password}); err != nil {
			return nil, err
		}
	}
	return s, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if started.Load() && stop() != nil {
		code = 1
	}
	os.Exit(code)
}

func stop() error {
	s, err := cluster()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return s.Stop(ctx)
}

const schema = `
CREATE TABLE campaigns (id serial PRIMARY KEY, campaign_name text NOT NULL, spend integer, clicks integer);
COMMENT ON TABLE campaigns IS 'What was spent';
COMMENT ON COLUMN campaigns.spend IS 'in dollars';
INSERT INTO campaigns (campaign_name, spend, clicks) VALUES ('Black Friday', 5000, 15000), ('Holiday Sale', 3000, 8000);
CREATE TABLE ads (id integer PRIMARY KEY, campaign integer REFERENCES campaigns DEFERRABLE INITIALLY DEFERRED, note text DEFAULT 'none');
CREATE VIEW spends AS SELECT campaign_name, spend FROM campaigns;
CREATE TABLE hidden (secret text);
CREATE SEQUENCE counter;
GRANT USAGE ON SCHEMA public TO reader;
GRANT SELECT ON campaigns, ads, spends, counter TO reader;
`

// place is a database of a test's own.
type place struct {
	t     testing.TB
	name  string
	admin *pgx.Conn // the superuser's
}

func newPlace(t testing.TB) *place {
	t.Helper()
	s, err := cluster()
	require.NoError(t, err, "private PostgreSQL of this test binary")
	p := &place{t: t, name: "t_" + strings.ToLower(rand.Text()[:12])}
	admin := connect(t, s.AdminURL("postgres").Reveal())
	_, err = admin.Exec(t.Context(), fmt.Sprintf("CREATE DATABASE %s OWNER %s STRATEGY FILE_COPY", p.name, owner))
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := admin.Exec(context.WithoutCancel(t.Context()), fmt.Sprintf("DROP DATABASE %s WITH (FORCE)", p.name))
		require.NoError(t, err)
	})
	p.admin = connect(t, s.AdminURL(p.name).Reveal())
	p.exec("SET ROLE " + owner + ";" + schema + "RESET ROLE")
	return p
}

func connect(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

// exec runs statements as the superuser.
func (p *place) exec(sql string) {
	p.t.Helper()
	_, err := p.admin.Exec(context.WithoutCancel(p.t.Context()), sql)
	require.NoError(p.t, err)
}

// one asks the superuser's connection for one value as text.
func (p *place) one(sql string) string {
	p.t.Helper()
	var out string
	require.NoError(p.t, p.admin.QueryRow(p.t.Context(), sql).Scan(&out))
	return out
}

// address is where the cluster listens.
func address(t testing.TB) (host, port string) {
	t.Helper()
	s, err := cluster()
	require.NoError(t, err)
	u, err := url.Parse(s.AdminURL("postgres").Reveal())
	require.NoError(t, err)
	return u.Hostname(), u.Port()
}

// form is how role's form is filled in.
func (p *place) form(role string) map[string]any {
	host, port := address(p.t)
	n, err := strconv.Atoi(port)
	require.NoError(p.t, err)
	return map[string]any{"host": host, "port": n, "database": p.name, "username": role, "password": password.Reveal()}
}

// plainDial dials what it is told.
func plainDial(ctx context.Context, network, address string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

// open opens a link from what is filled in, some of it in another way.
func open(t testing.TB, filled map[string]any, dial connector.Dial, other ...map[string]any) connector.Link {
	t.Helper()
	for _, more := range other {
		maps.Copy(filled, more)
	}
	form := postgres.New().Form
	settings, err := form.Read(filled)
	require.NoError(t, err)
	_, err = form.Place(settings)
	require.NoError(t, err)
	link, err := form.Open(settings, dial)
	require.NoError(t, err)
	t.Cleanup(link.Close)
	return link
}

// as opens a link for role.
func (p *place) as(role string) connector.Link {
	p.t.Helper()
	return open(p.t, p.form(role), plainDial)
}

// attempt is one attempt at a call; it keeps what it notes as its receipt.
type attempt struct {
	id, tool, receipt string
	arguments         map[string]any
}

func newAttempt(tool string, arguments map[string]any) *attempt {
	return &attempt{id: "call_" + rand.Text(), tool: tool, arguments: arguments}
}

func (a *attempt) find(t testing.TB) connector.Tool {
	t.Helper()
	tool, ok := postgres.New().Find(a.tool)
	require.True(t, ok)
	return tool
}

func (a *attempt) call(t testing.TB) connector.Call {
	doc, err := json.Marshal(a.arguments)
	require.NoError(t, err)
	return connector.Call{ID: a.id, Arguments: doc, Receipt: a.receipt, Note: func(_ context.Context, receipt string) error {
		a.receipt = receipt
		return nil
	}}
}

// run makes the call, and decodes its result into out.
func (a *attempt) run(t testing.TB, link connector.Link, out any) error {
	t.Helper()
	result, err := a.find(t).Call(t.Context(), &connector.Session{Link: link}, a.call(t))
	if err != nil {
		return err
	}
	require.NoError(t, json.Unmarshal(result.Structured, out))
	return nil
}

func (a *attempt) probe(t testing.TB, link connector.Link) (automation.Outcome, error) {
	t.Helper()
	found, err := a.find(t).Probe(t.Context(), &connector.Session{Link: link}, a.call(t))
	return found.Outcome, err
}

type rows struct {
	Columns   []string         `json:"columns"`
	Rows      []map[string]any `json:"rows"`
	RowCount  int              `json:"row_count"`
	Truncated bool             `json:"truncated"`
	Note      string           `json:"note"`
}

func query(t testing.TB, link connector.Link, sql string) (out rows, err error) {
	t.Helper()
	err = newAttempt("DB_QUERY", map[string]any{"query": sql}).run(t, link, &out)
	return out, err
}

// failure is the *connector.Error of a call that must fail.
func failure(t testing.TB, err error) *connector.Error {
	t.Helper()
	e := &connector.Error{}
	require.ErrorAs(t, err, &e)
	return e
}
