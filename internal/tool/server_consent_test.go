package tool_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/egress"
	"steward/internal/llm"
	"steward/internal/oauth"
	"steward/internal/registry"
	"steward/internal/secret"
	"steward/internal/store"
	"steward/internal/tool"
	"steward/internal/vault"
)

// nobody has consented to anything.
type nobody struct{}

func (nobody) need() error {
	return &oauth.ConsentError{Provider: "google", Version: 3, Reason: "consent again"}
}

func (n nobody) Token(context.Context, string, string) (secret.String, int64, error) {
	return secret.String{}, 0, n.need()
}

func (n nobody) Refresh(context.Context, string, string, int64) (secret.String, int64, error) {
	return secret.String{}, 0, n.need()
}

func (nobody) Credential(context.Context, string, string) (*oauth.Credential, error) { return nil, nil }

func (nobody) Calibrate(context.Context, oauth.Resource) (oauth.Authority, error) {
	return oauth.Authority{}, errors.New("nobody authorizes this")
}

func TestServerThatWantsConsentParksTheRun(t *testing.T) {
	t.Parallel()
	h := newHosted(t, tool.ApproveNever)
	require.NoError(t, registry.Register(t.Context(), h.db.Queries, h.ring, registry.Server{
		ID: 2, Name: "post", Transport: "http", URL: "https://mcp.example.com/mcp", Trusted: true, AuthProvider: "google",
	}))
	log := slog.New(slog.DiscardHandler)
	kept, err := vault.New(h.db, h.ring)
	require.NoError(t, err)
	reg, err := registry.New(h.db, h.ring, nobody{}, kept, egress.New(egress.Rules{}), registry.Options{}, log)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, reg.Close(context.WithoutCancel(t.Context()))) })
	connections, err := connector.NewConnections(connector.Options{Credentials: &oauth.Service{}})
	require.NoError(t, err)
	x, err := tool.NewExecutor(h.db, h.ring, reg, connections, log, tool.Options{})
	require.NoError(t, err)
	var planned []automation.PlannedCall
	require.NoError(t, h.db.Tx(t.Context(), func(q *store.Queries) error {
		planned, err = x.Plan(t.Context(), q, tool.Turn{Run: h.run, Catalogue: h.cat, Step: 1, Stamp: stamp},
			[]llm.Call{{CallID: "c1", Name: "mcp_post__search", Arguments: `{"q":"a"}`}})
		return err
	}))
	out, err := x.Execute(t.Context(), h.input(planned[0]), stamp, nil)
	require.NoError(t, err)
	require.NotNil(t, out.Park)
	require.Equal(t, automation.WaitingForAuth, out.Park.State)
	require.Equal(t, automation.Waiting{Reason: "consent again", Provider: "google", Connector: "post", Version: 3}, out.Park.Waiting)
	require.Equal(t, "planned", h.row(planned[0]).State, "nothing was sent")

	cat, err := tool.Resolve(t.Context(), reg, owner, tool.Sources{Servers: []*store.MCPServer{mustServer(t, reg)}, Connections: nil}, "")
	require.Error(t, err)
	require.Equal(t, []tool.Absence{{Server: "post", Reason: "consent again"}}, cat.Absent)

	had := func(_ context.Context, server int64, name string) (bool, error) {
		return server == 2 && name == "search", nil
	}
	for name, from := range map[string]tool.Sources{"named": {Named: true}, "had the named tool": {Had: had}} {
		from.Servers = []*store.MCPServer{mustServer(t, reg)}
		_, err := tool.Resolve(t.Context(), reg, owner, from, "search")
		var unready *tool.Unready
		require.ErrorAs(t, err, &unready, name)
		require.Equal(t, *out.Park, unready.Park, "it is waited for as in a call")
	}
	_, err = tool.Resolve(t.Context(), reg, owner, tool.Sources{Servers: []*store.MCPServer{mustServer(t, reg)}, Had: had}, "write")
	require.ErrorContains(t, err, "could be reached", "another tool is wanted")
}

func mustServer(t *testing.T, reg *registry.Registry) *store.MCPServer {
	t.Helper()
	row, err := reg.Server(t.Context(), owner, 2)
	require.NoError(t, err)
	require.NotNil(t, row)
	return row
}
