package run_test

import (
	"context"
	"log/slog"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"

	"steward/internal/auth/authtest"
	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/connector/formtest"
	"steward/internal/egress"
	"steward/internal/fault"
	"steward/internal/oauth"
	"steward/internal/run"
	"steward/internal/secret"
	"steward/internal/store"
	"steward/internal/storetest"
)

func TestRunsUseDatabases(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	ring, err := secret.NewRing(authtest.Key(t))
	require.NoError(t, err)
	kind := new(formtest.Paper).Connector()
	users, err := connector.NewConnections(connector.Options{
		Credentials: &oauth.Service{}, DB: db, Ring: ring, Log: slog.New(slog.DiscardHandler),
		Dial: func(string) connector.Dial {
			return func(context.Context, string, string) (net.Conn, error) { return nil, egress.ErrDenied }
		},
	}, kind)
	require.NoError(t, err)
	t.Cleanup(users.Close)
	temporal, err := client.NewLazyClient(client.Options{HostPort: "127.0.0.1:1", Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler))})
	require.NoError(t, err)
	t.Cleanup(temporal.Close)
	s, err := run.New(db, ring, temporal, noEdits{}, users, slog.New(slog.DiscardHandler), run.Options{
		Model: "m", Limits: automation.Limits{Steps: 40, Tokens: 1000, WallSeconds: 60}, InstructionsMax: 100, QueueLimit: 100,
	})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	connect := func(owner string) string {
		made, _, err := users.Connect(t.Context(), connector.Filled{Owner: owner, Actor: owner, Kind: kind, Values: map[string]any{
			"host": "db.test", "database": "campaigns", "username": "u", "password": "p",
		}}, "Ledger")
		require.NoError(t, err)
		return made.ID
	}
	own, foreign := connect(alice.Owner), connect("bob")

	for _, named := range [][]string{nil, {own}, {own, own}} {
		out, err := s.Start(t.Context(), alice, run.Request{Instructions: "x", Connections: named})
		require.NoError(t, err)
		row, err := db.GetRun(t.Context(), store.GetRunParams{ID: out.RunID, Owner: alice.Owner})
		require.NoError(t, err)
		require.Equal(t, []string{own}, row.Connections, "%v", named)
	}
	complaint := func(name string) string {
		_, err := s.Start(t.Context(), alice, run.Request{Instructions: "x", Connections: []string{own, name}})
		require.True(t, fault.Is(err, fault.Invalid), name)
		return fault.Text(err)
	}
	require.Equal(t, complaint("db_nothing"), complaint(foreign), "somebody else's looks absent")
	require.Equal(t, "body.connections[1]: no such connection: GET /api/integrations/connected and GET /api/databases list what is connected", complaint(foreign))
	require.Equal(t, "body.connections[1]: is a kind of database: name one that is connected by its db_id, which GET /api/databases lists", complaint("postgres"))
	require.Equal(t, complaint(foreign), complaint("Ledger"), "names may change, ids do not")
}
