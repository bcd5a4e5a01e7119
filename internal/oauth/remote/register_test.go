package remote_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/oauth/remote"
	"steward/internal/secret"
)

var app = remote.App{
	Name: "Steward", URL: "https://me.example", Redirect: "https://me.example/auth/mcp/callback", Document: "https://me.example/client.json",
}

// Given before document before registration (basic/authorization, "Client Registration Approaches").
func TestRegisterInTheOrderOfTheSpecification(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.serve("/register", map[string]any{"client_id": "new"})
	c := client(t)
	m := &remote.Metadata{RegistrationEndpoint: h.URL + "/register", ClientIDMetadataDocumentSupported: true}
	r, err := c.Register(t.Context(), m, app, &remote.Registration{ClientID: "theirs", Secret: secret.New("s")})
	require.NoError(t, err)
	require.Equal(t, remote.Given, r.Kind)
	require.Equal(t, remote.MethodBasic, r.Method, "what an endpoint takes that does not say")
	r, err = c.Register(t.Context(), m, app, nil)
	require.NoError(t, err)
	require.Equal(t, remote.Registration{Kind: remote.Document, ClientID: app.Document, Method: remote.MethodNone}, r)
	require.Empty(t, h.requests())

	local := app
	local.Document = "http://127.0.0.1:8000/client.json" // nobody elsewhere can read it
	r, err = c.Register(t.Context(), m, local, nil)
	require.NoError(t, err)
	require.Equal(t, remote.Registration{Kind: remote.Registered, ClientID: "new", Method: remote.MethodNone}, r)

	_, err = c.Register(t.Context(), &remote.Metadata{}, app, nil)
	require.ErrorIs(t, err, remote.ErrNoRegistration)
}

func TestRegisterAsksForWhatTheServerTakes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		supported []string
		answer    map[string]any
		asked     string
		method    string
	}{
		"basic":            {[]string{"client_secret_post", "client_secret_basic"}, map[string]any{"client_secret": "s"}, remote.MethodBasic, remote.MethodBasic},
		"post":             {[]string{"none", "client_secret_post"}, map[string]any{"client_secret": "s"}, remote.MethodPost, remote.MethodPost},
		"none":             {[]string{"none"}, map[string]any{}, remote.MethodNone, remote.MethodNone},
		"secret for none":  {[]string{"none"}, map[string]any{"client_secret": "s"}, remote.MethodNone, remote.MethodNone},
		"not said":         {nil, map[string]any{"client_secret": "s"}, remote.MethodBasic, remote.MethodBasic},
		"another answered": {[]string{"client_secret_basic"}, map[string]any{"client_secret": "s", "token_endpoint_auth_method": "client_secret_post"}, remote.MethodBasic, remote.MethodPost},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t)
			var asked map[string]any
			h.page("/register", func(w http.ResponseWriter, r *http.Request) {
				_ = json.NewDecoder(r.Body).Decode(&asked)
				c.answer["client_id"], c.answer["client_secret_expires_at"] = "new", 2_000_000_000
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(http.StatusCreated)
				_ = json.NewEncoder(w).Encode(c.answer)
			})
			m := &remote.Metadata{RegistrationEndpoint: h.URL + "/register", TokenEndpointAuthMethodsSupported: c.supported}
			r, err := client(t).Register(t.Context(), m, app, nil)
			require.NoError(t, err)
			require.Equal(t, c.method, r.Method)
			require.Equal(t, time.Unix(2_000_000_000, 0), r.Expires)
			require.Equal(t, c.asked, asked["token_endpoint_auth_method"])
			require.Equal(t, []any{app.Redirect}, asked["redirect_uris"])
			require.Equal(t, []any{"authorization_code", "refresh_token"}, asked["grant_types"])
			require.Equal(t, "web", asked["application_type"])
		})
	}
}

func TestRefusedRegistration(t *testing.T) {
	t.Parallel()
	for name, page := range map[string]http.HandlerFunc{
		"refused": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"error":"invalid_redirect_uri"}`))
		},
		"absent": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) },
		"no JSON": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusCreated)
			_, _ = w.Write([]byte(`hush`))
		},
		"no id": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusCreated)
			_, _ = w.Write([]byte(`{"client_secret":"hush"}`))
		},
		"a script": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusCreated)
			_, _ = w.Write([]byte(`{"client_id":"x","logo_uri":"javascript:hush"}`))
		},
	} {
		h := newHost(t)
		h.page("/register", page)
		_, err := client(t).Register(t.Context(), &remote.Metadata{RegistrationEndpoint: h.URL + "/register"}, app, nil)
		require.ErrorIs(t, err, remote.ErrNoRegistration, name)
		require.NotContains(t, err.Error(), "hush", name)
	}
	h := newHost(t)
	h.Close()
	_, err := client(t).Register(t.Context(), &remote.Metadata{RegistrationEndpoint: h.URL + "/register"}, app, nil)
	require.Error(t, err)
	require.NotErrorIs(t, err, remote.ErrNoRegistration, "it may come back")
}

func TestNativeOnThisMachine(t *testing.T) {
	t.Parallel()
	local := remote.App{Redirect: "http://127.0.0.1:8000/auth/mcp/callback"}
	require.Equal(t, "native", local.Metadata().ApplicationType)
	require.Equal(t, "web", app.Metadata().ApplicationType)
}

func TestAuthorizeURL(t *testing.T) {
	t.Parallel()
	m := &remote.Metadata{AuthorizationEndpoint: "https://as.example/authorize?tenant=7"}
	ask := remote.Ask{State: "st", Verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", Redirect: app.Redirect, Resource: "https://mcp.example/mcp", Scopes: []string{"a", "b"}}
	address, err := remote.AuthorizeURL(m, remote.Registration{ClientID: "me"}, ask)
	require.NoError(t, err)
	got := query(t, address)
	for name, want := range map[string]string{
		"tenant": "7", "response_type": "code", "client_id": "me", "redirect_uri": app.Redirect, "state": "st", "scope": "a b",
		"resource": "https://mcp.example/mcp", "code_challenge_method": "S256",
		"code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", // RFC 7636 appendix B
	} {
		require.Equal(t, want, got.Get(name), name)
	}
	require.False(t, got.Has("prompt"))
	ask.Scopes = []string{"offline_access"}
	address, err = remote.AuthorizeURL(m, remote.Registration{}, ask)
	require.NoError(t, err)
	require.Equal(t, "consent", query(t, address).Get("prompt"))
	_, err = remote.AuthorizeURL(&remote.Metadata{}, remote.Registration{}, ask)
	require.ErrorIs(t, err, remote.ErrIncomplete)
}

// T-18: RFC 9207 §2.4, character by character.
func TestT18IssuerOfTheAnswer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		issuer   string
		promised bool
		ok       bool
	}{
		{"https://as.example", true, true},
		{"https://as.example", false, true},
		{"", false, true},
		{"", true, false},
		{"https://as.example/", true, false},
		{"https://AS.example", true, false},
		{"https://as.example:443", true, false},
		{"https://evil.example", false, false},
		{"https://as.example.evil.example", false, false},
	} {
		m := &remote.Metadata{Issuer: "https://as.example", AuthorizationResponseIssParameterSupported: c.promised}
		err := remote.CheckIssuer(m, c.issuer)
		if c.ok {
			require.NoError(t, err, c.issuer)
			continue
		}
		require.ErrorIs(t, err, remote.ErrMismatch, c.issuer)
	}
}

func TestScopesToAskFor(t *testing.T) {
	t.Parallel()
	both := []string{"a", "b"}
	for name, c := range map[string]struct {
		challenged, resource, server, want []string
	}{
		"the challenge's":           {[]string{"c"}, both, nil, []string{"c"}},
		"the resource's":            {nil, both, nil, both},
		"none":                      {nil, nil, both, nil},
		"with lasting access":       {nil, both, []string{"offline_access"}, []string{"a", "b", "offline_access"}},
		"lasting access alone":      {nil, nil, []string{"offline_access"}, []string{"offline_access"}},
		"not the resource's to ask": {nil, []string{"a", "offline_access"}, nil, []string{"a"}},
	} {
		a := &remote.Authority{Scopes: c.resource, Metadata: remote.Metadata{ScopesSupported: c.server}}
		require.Equal(t, c.want, a.Wanted(remote.Challenge{Scopes: c.challenged}), name)
	}
	require.Equal(t, []string{"a", "b", "c"}, remote.Union(both, []string{"b", "c", "c"}))
	require.Equal(t, []string{}, remote.Union(nil, nil))
}

func TestParseChallenge(t *testing.T) {
	t.Parallel()
	require.Equal(t,
		remote.Challenge{Metadata: "https://m.example/x", Scopes: []string{"a", "b"}, Error: "insufficient_scope"},
		remote.ParseChallenge([]string{`Basic realm="x"`, `bearer error="insufficient_scope", scope="a b", resource_metadata="https://m.example/x"`}))
	require.True(t, remote.Challenge{Error: "insufficient_scope"}.Insufficient())
	for _, nothing := range [][]string{nil, {""}, {`Basic realm="x"`}, {`Bearer`}, {`Bearer scope=`}, {`"`}, {string(make([]byte, 64<<10))}} {
		require.Empty(t, remote.ParseChallenge(nothing).Metadata)
	}
}

func FuzzParseChallenge(f *testing.F) {
	f.Add(`Bearer error="insufficient_scope", scope="a b", resource_metadata="https://m.example/x"`)
	f.Add(`Basic realm="x", Bearer a=b`)
	f.Add(`Bearer a="\`)
	f.Fuzz(func(t *testing.T, header string) {
		c := remote.ParseChallenge([]string{header})
		for _, s := range c.Scopes {
			require.NotEmpty(t, s)
		}
	})
}

func FuzzConfidential(f *testing.F) {
	f.Add("https://as.example/authorize")
	f.Add("javascript://localhost/%0aalert(1)")
	f.Add("http://[::1]:80/")
	f.Fuzz(func(t *testing.T, text string) {
		if remote.Confidential(text) {
			require.Regexp(t, `(?i)^https?://`, text)
		}
	})
}
