package tool_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"steward/internal/fault"
	"steward/internal/oauth"
	"steward/internal/registry"
	"steward/internal/secret"
	"steward/internal/store"
	"steward/internal/tool"
	"steward/internal/vault"
)

func (d *desk) keep(name, value string) {
	d.t.Helper()
	require.NoError(d.t, d.vault.Set(d.t.Context(), vault.Change{Owner: owner, Actor: owner, Server: deskServer, Name: name}, secret.New(value)))
}

// everything is what the database and the log hold in the clear.
func (d *desk) everything() string {
	d.t.Helper()
	var all string
	for _, table := range []string{"direct_calls", "audit_events", "server_tools", "mcp_servers", "user_secrets"} {
		var text *string
		require.NoError(d.t, d.db.Pool.QueryRow(d.t.Context(), "SELECT string_agg(t::text, '\n') FROM "+table+" t").Scan(&text))
		if text != nil {
			all += *text
		}
	}
	return all + d.logs.text()
}

func TestSecretsGoIntoDeclaredParametersAlone(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.keep("API_KEY", ownerCanary)
	d.keep("other", "must-not-leave-4b21")
	cat, err := d.x.Callable(t.Context(), owner)
	require.NoError(t, err)
	guarded, ok := cat.Find("mcp_desk__guarded")
	require.True(t, ok)
	require.NotContains(t, string(guarded.InputSchema), "apiKey", "nobody is shown it, and nobody must give it")
	require.NotContains(t, string(guarded.InputSchema), "password")

	done, err := d.direct("guarded", `{"text":"a"}`)
	require.NoError(t, err)
	require.Equal(t, map[string]any{"text": "a", "apiKey": ownerCanary}, d.remote.last(t).arguments)
	require.NotContains(t, done.Text+string(done.Result.Content), ownerCanary, "the tool repeats it")
	require.Contains(t, done.Text, "[redacted]")

	done, err = d.direct("leak", `{}`)
	require.NoError(t, err)
	require.Equal(t, "my key is [redacted]", done.Text)

	d.events()
	for _, canary := range []string{ownerCanary, serverCanary, "must-not-leave-4b21"} {
		require.NotContains(t, d.everything(), canary)
	}
}

func TestCallersOwnSecretWins(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.keep("apiKey", ownerCanary)
	d.keep("password", "stored-for-the-login-9d")
	in := `{"text":"a","apiKey":"` + callerCanary + `","login":{"user":"u"}}`
	done, err := d.direct("guarded", in, keyed("k"))
	require.NoError(t, err)
	require.Equal(t, map[string]any{
		"text": "a", "apiKey": callerCanary, "login": map[string]any{"user": "u", "password": "stored-for-the-login-9d"},
	}, d.remote.last(t).arguments)
	require.NotContains(t, done.Text, callerCanary)
	require.NotContains(t, done.Text, "stored-for-the-login-9d")
	again, err := d.direct("guarded", in, keyed("k"))
	require.NoError(t, err)
	require.True(t, again.Replayed)
	d.events()
	require.NotContains(t, d.everything(), callerCanary)

	row, err := d.db.GetDirect(t.Context(), store.GetDirectParams{ID: done.CallID, Owner: owner})
	require.NoError(t, err)
	kept, err := d.ring.Open(tool.ArgumentsBinding(owner, done.CallID), row.ArgumentsSealed)
	require.NoError(t, err)
	require.NotContains(t, string(kept), "stored-for-the-login-9d", "what is put in is not kept with the call")
}

func TestMissingSecretIsAskedForBeforeTheCall(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	_, err := d.direct("guarded", `{"text":"a"}`)
	f, ok := errors.AsType[*fault.Error](err)
	require.True(t, ok)
	require.Equal(t, []fault.Field{{Location: "body.args.apiKey", Message: "is required and secret: store it for this server as apiKey or API_KEY (POST /secrets/set)"}}, f.Fields)
	require.Zero(t, d.rows())
	require.Zero(t, d.remote.count("", ""))
}

func TestSecretsAreTheOwnersOwn(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.keep("API_KEY", ownerCanary)
	_, err := d.direct("guarded", `{"text":"a"}`, func(c *tool.Direct) { c.Owner, c.Actor = "bob", "bob" })
	require.Equal(t, "secret_missing", fault.CodeOf(err))
	require.Zero(t, d.remote.count("", ""))
}

// refused is what a user has who has consented to nothing.
type refused struct{}

func (refused) need() error {
	return &oauth.ConsentError{Provider: "google", Reason: "Google is not connected"}
}

func (r refused) Token(context.Context, string, string) (secret.String, int64, error) {
	return secret.String{}, 0, r.need()
}

func (r refused) Refresh(context.Context, string, string, int64) (secret.String, int64, error) {
	return secret.String{}, 0, r.need()
}

func (refused) Credential(context.Context, string, string) (*oauth.Credential, error) {
	return nil, nil
}

func (r refused) Calibrate(context.Context, oauth.Resource) (oauth.Authority, error) {
	return oauth.Authority{}, r.need()
}

// consented is a user's grant at Google.
type consented struct {
	refused

	access string
	ends   time.Time
}

func (c consented) Token(context.Context, string, string) (secret.String, int64, error) {
	return secret.New(c.access), 1, nil
}

func (c consented) Refresh(context.Context, string, string, int64) (secret.String, int64, error) {
	return secret.New(c.access), 1, nil
}

func (c consented) Credential(context.Context, string, string) (*oauth.Credential, error) {
	return &oauth.Credential{Active: true, Version: 1, Expires: c.ends, Scopes: []string{"mail", "calendar"}}, nil
}

const tokenCanary = "canary-of-the-access-token-5a17"

// workspace registers a stdio server that takes the caller's Google token as a parameter, as MCP_AUTH_TYPE declares.
func (d *desk) workspace() (folder string) {
	d.t.Helper()
	self, err := os.Executable()
	require.NoError(d.t, err)
	folder = d.t.TempDir()
	require.NoError(d.t, registry.Register(d.t.Context(), d.db.Queries, d.ring, registry.Server{
		ID: 22, Name: "workspace", Transport: "stdio", Command: self, Args: []string{folder}, Trusted: true, AuthProvider: "google",
		Env: map[string]secret.String{serverFolder: secret.New(folder), serverKind: secret.New("tokens")},
	}))
	d.x.Changed(store.Change{Kind: store.ServerChanged})
	return folder
}

// workspace offers a tool that takes the caller's tokens, and writes down what it was given.
func workspace(dir string) *mcp.Server {
	s := mcp.NewServer(&mcp.Implementation{Name: "workspace", Version: "1"}, nil)
	s.AddTool(&mcp.Tool{
		Name: "mails", Annotations: &mcp.ToolAnnotations{ReadOnlyHint: true},
		InputSchema: json.RawMessage(`{"type":"object","properties":{"query":{"type":"string"},"access_token":{"type":"string"},"oauth_tokens":{"type":"object"}},"required":["query","access_token"]}`),
	}, func(_ context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		err := os.WriteFile(filepath.Join(dir, "arguments.json"), req.Params.Arguments, 0o600)
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: string(req.Params.Arguments)}}}, err
	})
	return s
}

func TestStdioServerGetsTheAccessTokenAlone(t *testing.T) {
	t.Parallel()
	ends := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	d := newDesk(t, func(d *desk) { d.tokens = consented{access: tokenCanary, ends: ends} })
	folder := d.workspace()
	at := func(c *tool.Direct) { c.Server = 22 }
	done, err := d.direct("mails", `{"query":"invoices"}`, at)
	require.NoError(t, err)
	require.NotContains(t, done.Text, tokenCanary)

	var got map[string]any
	doc, err := os.ReadFile(filepath.Join(folder, "arguments.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(doc, &got))
	require.Equal(t, map[string]any{
		"query": "invoices", "access_token": tokenCanary,
		"oauth_tokens": map[string]any{
			"access_token": tokenCanary, "token_type": "Bearer", "expiry": ends.Format(time.RFC3339), "scope": "mail calendar",
		},
	}, got)
	d.events()
	require.NotContains(t, d.everything(), tokenCanary)
}

func TestStdioServerWithoutConsent(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.workspace()
	_, err := d.direct("mails", `{"query":"invoices"}`, func(c *tool.Direct) { c.Server = 22 })
	need, ok := errors.AsType[*oauth.ConsentError](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, "google", need.Provider)
	require.Zero(t, d.rows())
}
