package registry_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/fault"
	"steward/internal/mcpclient"
	"steward/internal/registry"
	"steward/internal/registry/input"
	"steward/internal/secret"
	"steward/internal/store"
	"steward/internal/vault"
)

func TestOnlyWhatIsGivenChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.add(admin(), registry.Server{
		Name: "books", Title: "Books", Tags: []string{"a"}, Transport: "http", URL: "https://example.com/mcp", Headers: plain(map[string]string{"X-Custom-Header": "value"}),
		Reconnect: registry.Reconnect{Retries: 2}, Timeout: time.Minute,
	})
	description := "Of all kinds"
	changed, err := w.Change(t.Context(), admin(), s.ID, registry.Patch{Description: &description})
	require.NoError(t, err)
	require.Equal(t, s.Version, changed.Version, "sessions know nothing of it")
	require.True(t, changed.UpdatedAt.After(s.UpdatedAt))
	require.Equal(t, description, changed.Description)
	require.Equal(t, "Books", changed.Title)
	require.Equal(t, []string{"a"}, changed.Tags)
	require.Equal(t, s.URL, changed.URL)
	require.EqualValues(t, 60_000, changed.TimeoutMs)
	shown, err := w.Show(changed)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"X-Custom-Header": "value"}, shown.Headers)
	require.Equal(t, 2, shown.Reconnect.Retries)

	headers := plain(map[string]string{"X-Custom-Header": "other"})
	changed, err = w.Change(t.Context(), admin(), s.ID, registry.Patch{Headers: &headers})
	require.NoError(t, err)
	require.Equal(t, s.Version+1, changed.Version, "sessions bring the header")
	off := false
	changed, err = w.Change(t.Context(), admin(), s.ID, registry.Patch{Enabled: &off})
	require.NoError(t, err)
	require.Equal(t, s.Version+2, changed.Version)
	_, err = w.Tools(t.Context(), "alice", changed)
	require.Equal(t, registry.CodeServerDisabled, fault.CodeOf(err))
	require.NoError(t, w.Remove(t.Context(), admin(), s.ID))
	_, err = w.Change(t.Context(), admin(), s.ID, registry.Patch{})
	require.True(t, fault.Is(err, fault.NotFound))
}

// A credential goes only where it was saved for.
func TestT16AnotherURLGetsNothingThatWasSaved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good, evil := newShop(t, tool("send", "Send")), newShop(t, tool("send", "Send"))
	registered := good.server("books")
	registered.Headers = plain(map[string]string{"X-Api-Key": "canary-of-the-admin"})
	registered.HeaderSchema = []input.Field{{Name: "X-Figma-Token", Input: input.Input{Secret: true}}}
	s := w.add(admin(), registered)
	require.NoError(t, w.vault.Set(t.Context(), vault.Change{Owner: "alice", Actor: "alice", Server: s.ID, Name: "X-Figma-Token"}, secret.New("canary-of-alice")))
	_, err := w.db.PutCredential(t.Context(), store.PutCredentialParams{
		Owner: "alice", Provider: "mcp/" + jsonInt(s.ID), Subject: "1", Account: "a", Scopes: []string{}, AccessSealed: []byte("x"), ExpiresAt: time.Now().Add(time.Hour),
	})
	require.NoError(t, err)
	_, err = w.Call(t.Context(), "alice", s, mcpclient.Call{Tool: "send"})
	require.NoError(t, err)
	require.True(t, good.got("X-Api-Key", "canary-of-the-admin"))
	require.True(t, good.got("X-Figma-Token", "canary-of-alice"))

	schema := registered.HeaderSchema
	keep := plain(map[string]string{"X-Api-Key": "secret_ref:books:X-Api-Key"})
	_, err = w.Change(t.Context(), admin(), s.ID, registry.Patch{URL: &evil.URL, Headers: &keep})
	require.True(t, fault.Is(err, fault.Invalid), "not by reference either")
	moved, err := w.Change(t.Context(), admin(), s.ID, registry.Patch{URL: &evil.URL, HeaderSchema: &schema})
	require.NoError(t, err)
	_, err = w.Call(t.Context(), "alice", moved, mcpclient.Call{Tool: "send"})
	require.NoError(t, err)
	for _, value := range []string{"canary-of-the-admin", "canary-of-alice"} {
		require.False(t, evil.got("X-Api-Key", value) || evil.got("X-Figma-Token", value))
	}
	_, err = w.db.GetCredential(t.Context(), store.GetCredentialParams{Owner: "alice", Provider: "mcp/" + jsonInt(s.ID)})
	require.True(t, store.IsNoRows(err))
	kept, err := w.vault.For(t.Context(), "alice", s.ID)
	require.NoError(t, err)
	require.Empty(t, kept.Values)
}

func jsonInt(n int64) string {
	text, err := json.Marshal(n)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func TestAServerThatIsReachedAnotherWayIsAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, second := newShop(t, tool("order", "Order a book")), newShop(t, tool("order", "Order a car"))
	s := w.add(admin(), first.server("shop"))
	fetch(t, w, s)
	moved, err := w.Change(t.Context(), admin(), s.ID, registry.Patch{URL: &second.URL})
	require.NoError(t, err)
	require.Equal(t, registry.Approved, fetch(t, w, moved)["order"].State, "whoever names the address means what is there")
	_, err = w.Tools(t.Context(), "alice", s)
	require.NoError(t, err)
	require.Equal(t, registry.Approved, known(t, w.Registry, moved)["order"].State, "a list of before is not recorded")
}

func TestT24UsersOwnValuesGoIntoTheirOwnSessions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shop := newShop(t, tool("whoami", "Who am I"))
	s := w.own("alice", registry.Server{
		Name: "figma", Transport: "http", URL: shop.URL,
		HeaderSchema: []input.Field{{Name: "X-Figma-Token", Input: input.Input{
			Required: true, Value: "Token {token} of {region}", Variables: map[string]input.Input{"token": {Secret: true}, "region": {Default: "eu"}},
		}}},
	})
	require.Equal(t, []string{"token"}, w.InputSecrets(s))
	_, err := w.Tools(t.Context(), "alice", s)
	require.Equal(t, registry.CodeSecretMissing, fault.CodeOf(err))
	require.Contains(t, fault.Text(err), "token")
	st, err := w.Connect(t.Context(), "alice", s)
	require.NoError(t, err)
	require.Equal(t, "error", st.State)
	require.Contains(t, st.Error, "POST /secrets/set")

	set := func(value string) {
		change := vault.Change{Owner: "alice", Actor: "alice", Server: s.ID, Name: "token"}
		require.NoError(t, w.vault.Set(t.Context(), change, secret.New(value)))
	}
	ask := func() *mcpclient.Result {
		result, err := w.Call(t.Context(), "alice", s, mcpclient.Call{Tool: "whoami"})
		require.NoError(t, err)
		return result
	}
	set("canary-{region}-4711")
	result := ask()
	require.True(t, shop.got("X-Figma-Token", "Token canary-{region}-4711 of eu"), "one pass: what a value holds is not looked at")
	require.NotContains(t, string(result.Content), "canary", "what a careless server repeats is taken out")
	set("canary-4712-4712")
	ask()
	require.True(t, shop.got("X-Figma-Token", "Token canary-4712-4712 of eu"), "another value, another session")
	set("bad\r\nX-Admin: 1")
	_, err = w.Call(t.Context(), "alice", s, mcpclient.Call{Tool: "whoami"})
	require.Error(t, err)
	require.NotContains(t, err.Error(), "X-Admin")
	require.False(t, shop.got("X-Admin", "1"))
}

func TestPackagesDecideWhatTheirServersRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var s *store.MCPServer
	put := func(server registry.Server) error {
		return w.db.Tx(t.Context(), func(q *store.Queries) error {
			row, err := w.PutInstalled(t.Context(), q, server)
			if err == nil {
				s = row
			}
			return err
		})
	}
	require.NoError(t, put(registry.Server{Name: "everything", Transport: "stdio", Command: "node", Args: []string{"/p/1/index.js"}, Env: plain(map[string]string{"MODE": "x"}), Release: "1.0.0"}))
	require.Nil(t, s.Owner)
	require.Equal(t, registry.CodeNameTaken, fault.CodeOf(put(registry.Server{Name: "everything", Transport: "stdio", Command: "node"})))
	_, err := w.db.Pool.Exec(t.Context(), "INSERT INTO packages (server_name, server_id, name, runtime, status, created_by) VALUES ('everything', $1, 'pkg', 'node', 'installed', 'root')", s.ID)
	require.NoError(t, err)
	first := s
	command := "sh"
	_, err = w.Change(t.Context(), admin(), s.ID, registry.Patch{Command: &command})
	require.Equal(t, registry.CodePackageServer, fault.CodeOf(err))
	require.Equal(t, registry.CodePackageServer, fault.CodeOf(w.Remove(t.Context(), admin(), s.ID)))
	title := "Everything"
	_, err = w.Change(t.Context(), admin(), s.ID, registry.Patch{Title: &title})
	require.NoError(t, err)

	require.NoError(t, put(registry.Server{ID: first.ID, Transport: "stdio", Command: "node", Args: []string{"/p/2/index.js"}, Release: "2.0.0"}))
	require.Equal(t, "Everything", s.Title)
	require.Equal(t, []string{"/p/2/index.js"}, s.Args)
	require.Equal(t, "x", w.opened(s)["MODE"].Reveal())
	require.Equal(t, first.Version+1, s.Version)
	require.NoError(t, w.db.Tx(t.Context(), func(q *store.Queries) error { return w.RemoveInstalled(t.Context(), q, s.ID) }))
	require.NoError(t, w.db.Tx(t.Context(), func(q *store.Queries) error { return w.RemoveInstalled(t.Context(), q, s.ID) }), "twice is no error")
	require.True(t, fault.Is(w.CheckInstall(t.Context(), registry.Server{Name: "x", Transport: "stdio", Command: "node", Env: plain(map[string]string{"NODE_OPTIONS": "-r x"})}), fault.Invalid))
}
