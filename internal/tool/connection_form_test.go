package tool_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/auth/authtest"
	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/connector/formtest"
	"steward/internal/egress"
	"steward/internal/oauth"
	"steward/internal/registry"
	"steward/internal/secret"
	"steward/internal/store"
	"steward/internal/storetest"
	"steward/internal/tool"
	"steward/internal/vault"
)

// newPapered is a user with a database on paper, and a run that may use it.
func newPapered(t *testing.T) (*connected, *formtest.Paper, connector.Connection) {
	t.Helper()
	c := &connected{fixture: &fixture{t: t, db: storetest.New(t)}}
	ctx := t.Context()
	paper := &formtest.Paper{}
	kind := paper.Connector()
	var err error
	c.ring, err = secret.NewRing(authtest.Key(t))
	require.NoError(t, err)
	c.users, err = connector.NewConnections(connector.Options{
		Credentials: &oauth.Service{}, DB: c.db, Ring: c.ring, Log: slog.New(slog.DiscardHandler),
		Dial: func(string) connector.Dial {
			return func(context.Context, string, string) (net.Conn, error) { return nil, egress.ErrDenied }
		},
	}, kind)
	require.NoError(t, err)
	t.Cleanup(c.users.Close)
	kept, err := vault.New(c.db, c.ring)
	require.NoError(t, err)
	c.reg, err = registry.New(c.db, c.ring, &oauth.Service{}, kept, egress.New(egress.Rules{}), registry.Options{}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.reg.Close(context.WithoutCancel(t.Context()))) })
	made, _, err := c.users.Connect(ctx, connector.Filled{Owner: owner, Actor: owner, Kind: kind, Values: map[string]any{
		"host": "db.test", "database": "campaigns", "username": "u", "password": "p", "allow_writes": true,
	}}, "Ledger")
	require.NoError(t, err)
	c.x = c.worker()

	c.run, err = c.db.InsertRun(ctx, store.InsertRunParams{
		Mode: "worker", Connections: []string{made.ID}, Owner: owner, Actor: owner, WorkflowID: "run/test", ServerIDs: []int64{}, InstructionsSealed: []byte("x"),
		Approval: tool.ApproveNever, Limits: json.RawMessage("{}"), Metadata: json.RawMessage("{}"),
	})
	require.NoError(t, err)
	own, err := c.users.Named(ctx, owner, c.run.Connections)
	require.NoError(t, err)
	c.cat, err = tool.Resolve(ctx, c.reg, owner, tool.Sources{Connections: own}, "")
	require.NoError(t, err)
	doc, err := json.Marshal(c.cat)
	require.NoError(t, err)
	require.NoError(t, c.db.PutCatalogue(ctx, store.PutCatalogueParams{RunID: c.run.ID, Snapshot: doc}))
	return c, paper, made
}

func TestRunQueriesADatabase(t *testing.T) {
	t.Parallel()
	c, paper, made := newPapered(t)
	query, ok := c.cat.Find("DB_QUERY_" + made.ID)
	require.True(t, ok)
	require.Equal(t, []string{made.ID, "postgres", "Ledger", "rows"}, []string{query.Connection, query.Connector, query.ServerName, query.Answer})
	require.Equal(t, automation.Read, query.Class)
	require.True(t, query.Untrusted && query.Private, "what it answers was written by others, and is the owner's")

	paper.Hold(map[string]any{"campaign_name": "Black Friday"})
	p := c.planned(query.Function, `{"query":"SELECT 1"}`)
	out, err := c.execute(p)
	require.NoError(t, err)
	require.Equal(t, automation.CallDone, out.State)
	require.JSONEq(t, `{"columns":["campaign_name","spend","clicks"],"rows":[{"campaign_name":"Black Friday"}],"row_count":1,"truncated":false}`, c.result(p), "the model is shown all of it")

	_, err = c.users.Disconnect(t.Context(), owner, owner, made.ID)
	require.NoError(t, err)
	out, err = c.execute(c.planned(query.Function, `{"query":"SELECT 1"}`))
	require.NoError(t, err)
	require.Equal(t, automation.CallFailed, out.State, "what is disconnected is gone at once, also for runs that have it in their list")
}

func TestRunWritesToADatabaseOnce(t *testing.T) {
	t.Parallel()
	c, paper, made := newPapered(t)
	p := c.planned("DB_WRITE_"+made.ID, `{"query":"UPDATE x"}`)
	for range 2 {
		out, err := c.execute(p)
		require.NoError(t, err)
		require.Equal(t, automation.CallDone, out.State)
	}
	require.Equal(t, 1, paper.Written())
	require.JSONEq(t, `{"affected":1}`, c.result(p))

	paper.Lose()
	p = c.planned("DB_WRITE_"+made.ID, `{"query":"UPDATE y"}`)
	for range 2 {
		out, err := c.execute(p)
		require.NoError(t, err)
		require.Equal(t, automation.CallUnknown, out.State)
		require.NotEmpty(t, out.Decision, "a person is asked")
	}
	require.Equal(t, 2, paper.Written())
}
