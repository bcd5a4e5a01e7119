package oauth_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/fault"
	"steward/internal/oauth"
	"steward/internal/oauth/oauthtest"
)

// watched records what leaves for hosts other than the authorization server, and answers it.
type watched struct {
	next http.RoundTripper
	own  string

	mu   sync.Mutex
	seen []*http.Request
}

// RoundTrip implements http.RoundTripper.
func (w *watched) RoundTrip(req *http.Request) (*http.Response, error) {
	if strings.HasPrefix(req.URL.String(), w.own) {
		return w.next.RoundTrip(req)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = append(w.seen, req)
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: req, Header: http.Header{}}, nil
}

// T-16: a token goes to the provider's own hosts over https, and to no others.
func TestT16TokenGoesToTheProviderAlone(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	transport := &watched{own: site.server.URL}
	s := site.process(t, site.db, func(o *oauth.Options) {
		public := site.server.Config()
		public.APIURL = "" // the real thing
		o.Providers = []oauth.Provider{oauth.Google(public)}
		transport.next, o.Transport = o.Transport, transport
	})
	connect(t, s, "alice", readMail)
	client := s.Client("alice", provider)
	for address, allowed := range map[string]bool{
		"https://gmail.googleapis.com/gmail/v1/users/me/messages": true, "https://www.googleapis.com/drive/v3/files": true,
		"https://GMAIL.googleapis.com:443/": true,
		"http://gmail.googleapis.com/":      false, "https://gmail.googleapis.com:8443/": false, "https://evilgoogleapis.com/": false,
		"https://googleapis.com.evil.example/": false, "https://gmail.googleapis.com.evil.example/": false, "https://evil.example/": false,
		"https://googleapis.com/": false, "https://gmail.googleapis.com@evil.example/": false, "https://user:x@gmail.googleapis.com/": false,
		"https://evil.example/gmail.googleapis.com": false, "https://127.0.0.1/": false, "https://gmail.googleapis.com./": false,
		site.server.URL + "/api/": false, "https://accounts.google.com/": false,
	} {
		before := len(transport.seen)
		_, err := call(t.Context(), client, address)
		if !allowed {
			require.Equal(t, oauth.CodeHostRefused, fault.CodeOf(err), address)
			require.Len(t, transport.seen, before, address)
			continue
		}
		require.NoError(t, err, address)
		sent := transport.seen[before]
		token, _, err := s.Token(t.Context(), "alice", provider)
		require.NoError(t, err)
		require.Equal(t, "Bearer "+token.Reveal(), sent.Header.Get("Authorization"))
		require.Empty(t, sent.Host, "the host is the URL's")
	}
	require.Empty(t, site.server.Calls())
}

// T-16: an emulator's tokens go to the emulator alone.
func TestT16EmulatorsTokenStaysThere(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	s := site.process(t, site.db)
	connect(t, s, "alice", readMail)
	stranger := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	t.Cleanup(stranger.Close)
	for _, address := range []string{stranger.URL, "https://gmail.googleapis.com/", strings.Replace(site.server.URL, "http://", "https://", 1)} {
		_, err := call(t.Context(), s.Client("alice", provider), address)
		require.Equal(t, oauth.CodeHostRefused, fault.CodeOf(err), address)
	}
}

// T-16: no redirect is followed, neither by the client nor with the secrets of a token request.
func TestT16NoRedirectIsFollowed(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	var strayed []http.Header
	stranger := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { strayed = append(strayed, r.Header) }))
	t.Cleanup(stranger.Close)
	s := site.process(t, site.db)
	connect(t, s, "alice", readMail)
	site.server.Set(func(r *oauthtest.Rules) {
		r.API = func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, stranger.URL, http.StatusTemporaryRedirect)
			return true
		}
	})
	status, err := call(t.Context(), s.Client("alice", provider), site.server.URL+"/api/")
	require.NoError(t, err)
	require.Equal(t, http.StatusTemporaryRedirect, status)
	require.Len(t, site.server.Calls(), 1)

	elsewhere := func(w http.ResponseWriter, _ url.Values) bool {
		w.Header().Set("Location", stranger.URL)
		w.WriteHeader(http.StatusPermanentRedirect)
		return true
	}
	site.server.Set(func(r *oauthtest.Rules) { r.Token, r.Revoke = elsewhere, elsewhere })
	_, _, err = s.Refresh(t.Context(), "alice", provider, 1<<40)
	require.Equal(t, oauth.CodeProvider, fault.CodeOf(err))
	require.Equal(t, oauth.CodeRevocationFailed, fault.CodeOf(s.Disconnect(t.Context(), "alice", provider, "alice")))
	require.Empty(t, strayed)
}

// T-17: what a caller was authorized with is not passed on.
func TestT17InboundTokenIsReplaced(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	s := site.process(t, site.db)
	connect(t, s, "alice", readMail)
	const inbound = "Bearer eyJ0eXAiOiJhdCtqd3QifQ.of-the-caller.x"
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, site.server.URL+"/api/", nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", inbound)
	res, err := s.Client("alice", provider).Do(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Equal(t, inbound, req.Header.Get("Authorization"), "the caller's request is left as it is")
	for _, c := range site.server.Calls() {
		require.NotContains(t, c.Authorization, "of-the-caller")
	}
}

// Whoever sends something that cannot be taken back tells by the error whether it may have arrived.
func TestErrorsTellWhetherTheRequestLeft(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	db := site.open(t)
	s := site.process(t, db)
	connect(t, s, "alice", readMail)
	address := site.server.URL + "/api/send"
	cut := func(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) }
	site.server.Set(func(r *oauthtest.Rules) { r.API = cut })
	_, err := call(t.Context(), s.Client("alice", provider), address)
	require.Error(t, err)
	_, told := errors.AsType[*fault.Error](err)
	require.False(t, told, "it has left")
	left := len(site.server.Calls())

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = call(ended, s.Client("alice", provider), address)
	require.ErrorIs(t, err, context.Canceled)
	db.Close()
	_, err = call(t.Context(), s.Client("alice", provider), address)
	require.True(t, fault.Is(err, fault.Unavailable), "%v", err)
	require.Len(t, site.server.Calls(), left)
}

func TestRefusedRequestIsRepeatedOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body   io.Reader
		dead   bool // renewed tokens are refused too
		calls  int
		status int
	}{
		"no body":                     {nil, false, 2, http.StatusOK},
		"body that can be read again": {strings.NewReader("letter"), false, 2, http.StatusOK},
		"body that cannot":            {io.MultiReader(strings.NewReader("letter")), false, 1, http.StatusUnauthorized},
		"and refused again":           {strings.NewReader("letter"), true, 2, http.StatusUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			site := newSite(t)
			s := site.process(t, site.db)
			connect(t, s, "alice", readMail)
			site.server.Forget()
			if c.dead {
				site.server.Set(func(r *oauthtest.Rules) {
					r.Token = func(w http.ResponseWriter, _ url.Values) bool {
						w.Header().Set("Content-Type", "application/json")
						_, _ = io.WriteString(w, `{"access_token":"unknown-to-the-api","token_type":"Bearer","expires_in":3600}`)
						return true
					}
				})
			}
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, site.server.URL+"/api/send", c.body)
			require.NoError(t, err)
			res, err := s.Client("alice", provider).Do(req)
			require.NoError(t, err)
			answer, err := io.ReadAll(res.Body)
			require.NoError(t, errors.Join(err, res.Body.Close()))
			require.Equal(t, c.status, res.StatusCode)
			require.Len(t, site.server.Calls(), c.calls)
			require.Equal(t, c.calls-1, site.server.Refreshes())
			if c.status == http.StatusOK && c.body != nil {
				require.Equal(t, "letter", string(answer))
			}
		})
	}
}

// T-19: a 403 for want of a scope is a person's business, every other one is the caller's.
func TestT19MissingScope(t *testing.T) {
	t.Parallel()
	challenge := func(value, body string) func(w http.ResponseWriter, r *http.Request) bool {
		return func(w http.ResponseWriter, _ *http.Request) bool {
			if value != "" {
				w.Header().Set("WWW-Authenticate", value)
			}
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, body)
			return true
		}
	}
	long := strings.Repeat(" ", 70<<10)
	for name, c := range map[string]struct {
		api    func(w http.ResponseWriter, r *http.Request) bool
		need   bool
		scopes []string
		body   string
	}{
		"challenge":         {challenge(`Bearer realm="x", error="insufficient_scope", scope="a b"`, ""), true, []string{"a", "b"}, ""},
		"bare challenge":    {challenge(`Bearer error=insufficient_scope`, ""), true, nil, ""},
		"reason":            {challenge("", `{"error":{"code":403,"details":[{"reason":"ACCESS_TOKEN_SCOPE_INSUFFICIENT"}]}}`), true, nil, ""},
		"older reason":      {challenge("", `{"error":{"errors":[{"reason":"insufficientPermissions"}]}}`), true, nil, ""},
		"rate limit":        {challenge("", `{"error":{"errors":[{"reason":"rateLimitExceeded"}]}}`), false, nil, `{"error":{"errors":[{"reason":"rateLimitExceeded"}]}}`},
		"another error":     {challenge(`Bearer error="invalid_request"`, "no"), false, nil, "no"},
		"text about it":     {challenge("", `"insufficientPermissions"`), false, nil, `"insufficientPermissions"`},
		"a long refusal":    {challenge("", long), false, nil, long},
		"refusal with less": {challenge("", ""), false, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			site := newSite(t)
			s := site.process(t, site.db)
			version := connect(t, s, "alice", readMail).Credential.Version
			site.server.Set(func(r *oauthtest.Rules) { r.API = c.api })
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, site.server.URL+"/api/", nil)
			require.NoError(t, err)
			res, err := s.Client("alice", provider).Do(req)
			if c.need {
				if err == nil {
					require.NoError(t, res.Body.Close())
				}
				need, ok := errors.AsType[*oauth.ConsentError](err)
				require.True(t, ok, "%v", err)
				require.Equal(t, oauth.ConsentError{Provider: provider, Version: version, Scopes: c.scopes, Reason: "Google was not granted what this needs"}, *need)
				return
			}
			require.NoError(t, err)
			body, err := io.ReadAll(res.Body)
			require.NoError(t, errors.Join(err, res.Body.Close()))
			require.Equal(t, c.body, string(body))
			require.Zero(t, site.server.Refreshes())
		})
	}
}
