package oauth_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/fault"
	"steward/internal/oauth"
	"steward/internal/oauth/oauthtest"
	"steward/internal/secret"
)

func begin(t testing.TB, s *oauth.Service, owner string) oauth.Begun {
	t.Helper()
	begun, err := s.Begin(t.Context(), oauth.Begin{Purpose: oauth.Connect, Owner: owner, Provider: provider, Scopes: []string{readMail}})
	require.NoError(t, err)
	return begun
}

// T-17: a state is known, of this browser, fresh and used once, or its code goes nowhere.
func TestT17StateIsBoundAndUsedOnce(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	s := site.process(t, site.db)
	refuse := func(name string, c oauth.Callback, code string) {
		t.Helper()
		before := site.server.Exchanges()
		_, err := s.Finish(t.Context(), c)
		require.Equal(t, code, fault.CodeOf(err), name)
		require.Equal(t, before, site.server.Exchanges(), name)
		if c.State != "" {
			require.NotContains(t, fault.Text(err), c.State, name)
		}
	}
	mine := callback(t, begin(t, s, "alice"))
	unknown := mine
	unknown.State = "not-a-state"
	refuse("unknown state", unknown, oauth.CodeStateInvalid)
	unknown.State = ""
	refuse("no state", unknown, oauth.CodeStateInvalid)
	other := mine
	other.Provider = "slack"
	refuse("another provider", other, oauth.CodeNotConfigured)

	_, err := s.Finish(t.Context(), mine)
	require.NoError(t, err)
	refuse("replay", mine, oauth.CodeStateInvalid)

	foreign := callback(t, begin(t, s, "alice"))
	right := foreign.Browser
	foreign.Browser = begin(t, s, "mallory").Browser
	refuse("browser of another flow", foreign, oauth.CodeStateInvalid)
	foreign.Browser = right
	refuse("a state that a wrong browser has brought is used up", foreign, oauth.CodeStateInvalid)
	bare := callback(t, begin(t, s, "alice"))
	bare.Browser = secret.String{}
	refuse("no cookie", bare, oauth.CodeStateInvalid)

	late := callback(t, begin(t, s, "alice"))
	_, err = site.db.Pool.Exec(t.Context(), "UPDATE oauth_flows SET expires_at = now() WHERE used_at IS NULL")
	require.NoError(t, err)
	refuse("expired", late, oauth.CodeStateInvalid)
}

// T-17: of two callbacks with one state at the same moment, one is taken.
func TestT17StateIsUsedOnceAtTheSameMoment(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	s, other := site.process(t, site.db), site.process(t, site.db)
	c := callback(t, begin(t, s, "alice"))
	errs := together(8, func(i int) error {
		_, err := []*oauth.Service{s, other}[i%2].Finish(t.Context(), c)
		return err
	})
	taken := 0
	for _, err := range errs {
		if err == nil {
			taken++
			continue
		}
		require.Equal(t, oauth.CodeStateInvalid, fault.CodeOf(err))
	}
	require.Equal(t, 1, taken)
	require.Equal(t, 1, site.server.Exchanges())
}

// T-18: mix-up. The answer of another authorization server is not taken for ours; the code stays here.
func TestT18IssuerOfTheAnswer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		issuer   string // %: the server's own
		promised bool
		code     string
	}{
		"ours":                  {"%", true, ""},
		"ours, not promised":    {"%", false, ""},
		"silent, not promised":  {"", false, ""},
		"silent, but promised":  {"", true, oauth.CodeIssuerMismatch},
		"another":               {"https://evil.example", false, oauth.CodeIssuerMismatch},
		"another, promised":     {"https://evil.example", true, oauth.CodeIssuerMismatch},
		"ours with a slash":     {"%/", false, oauth.CodeIssuerMismatch},
		"ours with more behind": {"%.evil.example", false, oauth.CodeIssuerMismatch},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			site := newSite(t)
			site.server.Set(func(r *oauthtest.Rules) {
				r.Issuer = strings.ReplaceAll(c.issuer, "%", site.server.URL)
				r.Metadata = func(document map[string]any) { document["authorization_response_iss_parameter_supported"] = c.promised }
			})
			s := site.process(t, site.db)
			_, err := s.Finish(t.Context(), callback(t, begin(t, s, "alice")))
			if c.code == "" {
				require.NoError(t, err)
				return
			}
			require.Equal(t, c.code, fault.CodeOf(err))
			require.Zero(t, site.server.Exchanges(), "the code never leaves")
		})
	}
}

// T-18: a server that claims to be another one, or sends us elsewhere in clear, is not used. It may recover.
func TestT18Metadata(t *testing.T) {
	t.Parallel()
	honest := oauthtest.New(t)
	for name, change := range map[string]func(document map[string]any){
		"issuer of another":        func(d map[string]any) { d["issuer"] = honest.URL },
		"issuer missing":           func(d map[string]any) { delete(d, "issuer") },
		"token endpoint in clear":  func(d map[string]any) { d["token_endpoint"] = "http://evil.example/token" },
		"token endpoint missing":   func(d map[string]any) { delete(d, "token_endpoint") },
		"keys in clear":            func(d map[string]any) { d["jwks_uri"] = "http://evil.example/keys" },
		"authorization is script":  func(d map[string]any) { d["authorization_endpoint"] = "javascript:alert(1)" },
		"revocation in clear":      func(d map[string]any) { d["revocation_endpoint"] = "http://evil.example/revoke" },
		"endpoint is no text":      func(d map[string]any) { d["token_endpoint"] = 7 },
		"a document without bound": func(d map[string]any) { d["x"] = strings.Repeat("x", 2<<20) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			site := newSite(t)
			site.server.Set(func(r *oauthtest.Rules) { r.Metadata = change })
			s := site.process(t, site.db)
			_, err := s.Begin(t.Context(), oauth.Begin{Purpose: oauth.Login, Provider: provider})
			require.Equal(t, oauth.CodeProvider, fault.CodeOf(err))
			require.Less(t, len(err.Error()), 1000)
			site.server.Set(func(r *oauthtest.Rules) { r.Metadata = nil })
			_, err = s.Begin(t.Context(), oauth.Begin{Purpose: oauth.Login, Provider: provider})
			require.NoError(t, err)
		})
	}
}

// T-18: the code of another flow, which somebody stole or planted, is not exchanged here (PKCE).
func TestT18CodeInjection(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	s := site.process(t, site.db)
	victim, attacker := callback(t, begin(t, s, "alice")), callback(t, begin(t, s, "mallory"))
	victim.Code = attacker.Code
	_, err := s.Finish(t.Context(), victim)
	require.Equal(t, oauth.CodeCodeRefused, fault.CodeOf(err))
	stored, err := s.Credential(t.Context(), "alice", provider)
	require.NoError(t, err)
	require.Nil(t, stored)
}

// T-18: an ID token that proves nothing.
func TestT18IDToken(t *testing.T) {
	t.Parallel()
	claim := func(name string, value any) func(r *oauthtest.Rules) {
		return func(r *oauthtest.Rules) { r.Claims = func(c map[string]any) { c[name] = value } }
	}
	signed := func(change func(parts []string) []string) func(r *oauthtest.Rules) {
		return func(r *oauthtest.Rules) {
			r.Signed = func(token string) string { return strings.Join(change(strings.Split(token, ".")), ".") }
		}
	}
	encode := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	for name, spoil := range map[string]func(r *oauthtest.Rules){
		"nonce of another flow":   claim("nonce", "x"),
		"no nonce":                claim("nonce", nil),
		"audience of another":     claim("aud", "other.test"),
		"made for another":        claim("azp", "other.test"),
		"issuer of another":       claim("iss", "https://evil.example"),
		"expired":                 claim("exp", time.Now().Add(-time.Hour).Unix()),
		"address not verified":    claim("email_verified", false),
		"address missing":         claim("email", ""),
		"subject missing":         claim("sub", ""),
		"subject with line break": claim("sub", "1\nadmin"),
		"subject too long":        claim("sub", strings.Repeat("1", 300)),
		"of another access token": claim("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"),
		"payload changed": signed(func(p []string) []string {
			raw, err := base64.RawURLEncoding.DecodeString(p[1])
			if err != nil {
				return nil
			}
			p[1] = encode(strings.Replace(string(raw), "alice@", "admin@", 1))
			return p
		}),
		"not signed": signed(func(p []string) []string { return []string{encode(`{"alg":"none","typ":"JWT"}`), p[1], ""} }),
		"signature of nothing": signed(func(p []string) []string {
			return []string{p[0], p[1], encode(strings.Repeat("\x00", 64))}
		}),
		"no token": signed(func([]string) []string { return nil }),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			site := newSite(t)
			site.server.Set(spoil)
			s := site.process(t, site.db)
			_, err := s.Finish(t.Context(), callback(t, begin(t, s, "alice")))
			require.Equal(t, oauth.CodeIdentityInvalid, fault.CodeOf(err), "%v", err)
			require.True(t, fault.Is(err, fault.Forbidden))
			stored, err := s.Credential(t.Context(), "alice", provider)
			require.NoError(t, err)
			require.Nil(t, stored)
		})
	}
}

func TestWhatTheProviderAnswers(t *testing.T) {
	t.Parallel()
	status := func(status int, code string) func(r *oauthtest.Rules) {
		return func(r *oauthtest.Rules) {
			r.Token = func(w http.ResponseWriter, _ url.Values) bool {
				w.Header().Set("Retry-After", "7")
				oauthtest.Refuse(w, status, code)
				return true
			}
		}
	}
	for name, c := range map[string]struct {
		rule func(r *oauthtest.Rules)
		code string
		kind fault.Kind
	}{
		"no consent":      {func(r *oauthtest.Rules) { r.Deny = "access_denied" }, oauth.CodeConsentDenied, fault.Forbidden},
		"another error":   {func(r *oauthtest.Rules) { r.Deny = "<script>server_error" }, oauth.CodeProvider, fault.Upstream},
		"code refused":    {status(http.StatusBadRequest, "invalid_grant"), oauth.CodeCodeRefused, fault.Malformed},
		"client refused":  {status(http.StatusUnauthorized, "invalid_client"), oauth.CodeMisconfigured, fault.Unavailable},
		"server is down":  {status(http.StatusInternalServerError, "invalid_grant"), oauth.CodeProvider, fault.Upstream},
		"too many":        {status(http.StatusTooManyRequests, "invalid_client"), oauth.CodeProvider, fault.Upstream},
		"another refusal": {status(http.StatusBadRequest, "invalid_request"), oauth.CodeProvider, fault.Upstream},
		"redirected": {func(r *oauthtest.Rules) {
			r.Token = func(w http.ResponseWriter, _ url.Values) bool {
				w.Header().Set("Location", "/keys")
				w.WriteHeader(http.StatusTemporaryRedirect)
				return true
			}
		}, oauth.CodeProvider, fault.Upstream},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			site := newSite(t)
			site.server.Set(c.rule)
			s := site.process(t, site.db)
			_, err := s.Finish(t.Context(), callback(t, begin(t, s, "alice")))
			require.Equal(t, c.code, fault.CodeOf(err), "%v", err)
			require.True(t, fault.Is(err, c.kind))
			require.NotContains(t, fault.Text(err), "script")
			require.NotContains(t, fault.Text(err), "127.0.0.1")
		})
	}
}
