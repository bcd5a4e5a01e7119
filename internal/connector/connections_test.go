package connector_test

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"steward/internal/connector"
	"steward/internal/oauth"
	"steward/internal/store"
)

// How long and how often tests look for what happens beside them.
const (
	waitTime = 10 * time.Second
	lookTime = 5 * time.Millisecond
)

func TestToolsOfAConnection(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	reads := d.connect("alice", "Sales 'n' more")
	writes := d.connect("alice", "Ledger", "allow_writes", true)
	tools := reads.Tools()
	require.Len(t, tools, 1, "writing was not allowed")
	require.Equal(t, "DB_QUERY_"+reads.ID, tools[0].Name)
	require.Equal(t, "Query 'Sales 'n' more' (PostgreSQL)", tools[0].Description)
	require.Equal(t, "DB_QUERY", d.kind.Tools[0].Name, "the connector's own list is untouched")
	require.Len(t, writes.Tools(), 2)

	id, ok := d.Holder("DB_WRITE_" + writes.ID)
	require.True(t, ok)
	require.Equal(t, writes.ID, id)
	conn, tool, ok, err := d.Lookup(t.Context(), "alice", id, "DB_WRITE_"+id)
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, "Ledger", conn.Name)
	require.Equal(t, "Change 'Ledger' (PostgreSQL)", tool.Title)
	for _, wrong := range []struct{ owner, id, name string }{
		{"bob", id, "DB_WRITE_" + id},
		{"alice", reads.ID, "DB_WRITE_" + reads.ID},
		{"alice", id, "DB_WRITE"},
		{"alice", id, "DB_QUERY_" + reads.ID},
		{"alice", "postgres", "DB_QUERY"},
		{"alice", "db_nothing", "DB_QUERY_db_nothing"},
	} {
		_, _, ok, err := d.Lookup(t.Context(), wrong.owner, wrong.id, wrong.name)
		require.NoError(t, err)
		require.False(t, ok, "%v", wrong)
	}
	for _, name := range []string{"DB_QUERY", "DB_QUERY_db_", "db_query_db_a", "X", "", "DB_QUERY_db_A", "DB_QUERY_db_a\n", "mcp_x__DB_QUERY_db_a"} {
		_, ok := d.Holder(name)
		require.False(t, ok, "%q", name)
	}

	named, err := d.Named(t.Context(), "alice", []string{writes.ID, "db_nothing"})
	require.NoError(t, err)
	require.Len(t, named, 1)
	named, err = d.Named(t.Context(), "bob", []string{writes.ID})
	require.NoError(t, err)
	require.Empty(t, named)
}

// One link serves all calls of a process; another process has its own.
func TestLinksAreShared(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	made := d.connect("alice", "x")
	tested := d.paper.Opened.Load()
	other := d.process(d.kind)
	for range 3 {
		for _, c := range []*connector.Connections{d.Connections, other} {
			conn, tool, _, err := c.Lookup(t.Context(), "alice", made.ID, "DB_QUERY_"+made.ID)
			require.NoError(t, err)
			session, err := c.Open(t.Context(), "alice", conn, tool)
			require.NoError(t, err)
			require.NoError(t, session.Link.Test(t.Context()))
		}
	}
	require.Equal(t, tested+2, d.paper.Opened.Load())
	other.Close()
	require.Equal(t, tested+1, d.paper.Closed.Load())
}

// What is sealed for one owner and one connection opens for no other.
func TestSettingsAreBoundToTheirOwner(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	made := d.connect("alice", "x")
	_, err := d.db.Pool.Exec(t.Context(), "UPDATE connections SET owner = 'bob'")
	require.NoError(t, err)
	conn, tool, ok, err := d.Lookup(t.Context(), "bob", made.ID, "DB_QUERY_"+made.ID)
	require.NoError(t, err)
	require.True(t, ok)
	_, err = d.Open(t.Context(), "bob", conn, tool)
	require.Error(t, err)
	require.Error(t, d.Check(t.Context(), conn))
}

func TestConnectionOfAKindThatIsGone(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	made := d.connect("alice", "x")
	without := d.process()
	saved, err := without.Saved(t.Context(), "alice")
	require.NoError(t, err)
	require.Empty(t, saved)
	_, _, ok, err := without.Lookup(t.Context(), "alice", made.ID, "DB_QUERY_"+made.ID)
	require.NoError(t, err)
	require.False(t, ok)
}

// tally counts statements.
type tally struct{ atomic.Int32 }

func (c *tally) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	c.Add(1)
	return ctx
}

func (*tally) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// A call costs one question to our database, whatever else its user has connected.
func TestACallAsksOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	made := d.connect("alice", "x")
	counted := &tally{}
	config := d.db.Pool.Config()
	config.ConnConfig.Tracer = counted
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	c, err := connector.NewConnections(connector.Options{
		Credentials: &oauth.Service{}, DB: store.From(pool), Ring: d.ring, Log: slog.New(slog.DiscardHandler), Dial: func(string) connector.Dial { return nil },
	}, d.kind)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	for range 3 {
		counted.Store(0)
		conn, tool, _, err := c.Lookup(t.Context(), "alice", made.ID, "DB_QUERY_"+made.ID)
		require.NoError(t, err)
		_, err = c.Open(t.Context(), "alice", conn, tool)
		require.NoError(t, err)
		require.EqualValues(t, 1, counted.Load())
	}
}

func TestListsThatCannotBe(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	whole := connector.Options{Credentials: &oauth.Service{}, DB: d.db, Ring: d.ring, Log: slog.New(slog.DiscardHandler), Dial: func(string) connector.Dial { return nil }}
	mail := &connector.Connector{Name: "mail", Provider: "google", Tools: []connector.Tool{{Name: "X"}}}
	for name, list := range map[string][]*connector.Connector{
		"two of one name":   {d.kind, d.kind},
		"neither nor":       {{Name: "x"}},
		"both":              {{Name: "x", Provider: "google", Form: d.kind.Form}},
		"a form of nothing": {{Name: "x", Form: &connector.Form{}}},
		"one tool in two":   {mail, {Name: "post", Provider: "google", Tools: mail.Tools}},
	} {
		_, err := connector.NewConnections(whole, list...)
		require.Error(t, err, name)
	}
	_, err := connector.NewConnections(connector.Options{}, mail)
	require.Error(t, err)
	_, err = connector.NewConnections(connector.Options{Credentials: &oauth.Service{}}, d.kind)
	require.Error(t, err)
}
