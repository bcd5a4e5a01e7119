package oauth_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/audit"
	"steward/internal/fault"
	"steward/internal/oauth"
	"steward/internal/oauth/oauthtest"
)

// T-19: whoever asks at the same moment, in however many processes, the provider sees one refresh.
func TestT19OneRefresh(t *testing.T) {
	t.Parallel()
	for name, processes := range map[string]int{"one process": 1, "two processes": 2, "five processes": 5} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			site := newSite(t)
			site.server.Set(func(r *oauthtest.Rules) { r.Rotate = true })
			clients := make([]*http.Client, processes)
			for i := range clients {
				s := site.process(t, site.open(t))
				if i == 0 {
					connect(t, s, "alice", readMail)
				}
				clients[i] = s.Client("alice", provider)
			}
			site.server.Forget()
			errs := together(50, func(i int) error {
				status, err := call(t.Context(), clients[i%processes], site.server.URL+"/api/mail")
				if err == nil && status != http.StatusOK {
					err = errors.New(http.StatusText(status))
				}
				return err
			})
			require.NoError(t, errors.Join(errs...))
			require.Equal(t, 1, site.server.Refreshes())
			require.Equal(t, []string{audit.CredentialGranted, audit.CredentialRefreshed}, site.kinds(t))
		})
	}
}

// T-19: a token that ends within five minutes is renewed before it is used.
func TestT19RenewedBeforeItsEnd(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	s, other := site.process(t, site.db), site.process(t, site.open(t))
	first := connect(t, s, "alice", readMail)
	token, version, err := s.Token(t.Context(), "alice", provider)
	require.NoError(t, err)
	require.Equal(t, first.Credential.Version, version)

	site.ages(t, "alice", 6*time.Minute)
	same, _, err := s.Token(t.Context(), "alice", provider)
	require.NoError(t, err)
	require.True(t, same.Equal(token))
	require.Zero(t, site.server.Refreshes())

	site.ages(t, "alice", 4*time.Minute)
	errs := together(50, func(i int) error {
		renewed, later, err := []*oauth.Service{s, other}[i%2].Token(t.Context(), "alice", provider)
		if err == nil && (renewed.Equal(token) || later <= version) {
			err = errors.New("the old token")
		}
		return err
	})
	require.NoError(t, errors.Join(errs...))
	require.Equal(t, 1, site.server.Refreshes())
}

// A caller that was late with its 401 gets the token that others have fetched since.
func TestT19LaterVersionIsReturnedUnasked(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	s := site.process(t, site.db)
	first := connect(t, s, "alice", readMail).Credential.Version
	token, second, err := s.Refresh(t.Context(), "alice", provider, first)
	require.NoError(t, err)
	again, version, err := s.Refresh(t.Context(), "alice", provider, first)
	require.NoError(t, err)
	require.Equal(t, second, version)
	require.True(t, again.Equal(token))
	require.Equal(t, 1, site.server.Refreshes())
	site.ages(t, "alice", -time.Second) // unless it has ended itself
	_, third, err := s.Refresh(t.Context(), "alice", provider, first)
	require.NoError(t, err)
	require.Greater(t, third, second)
}

// T-19: the rotated refresh token is stored before the access token beside it is used.
func TestT19RotatedTokenIsStored(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	site.server.Set(func(r *oauthtest.Rules) { r.Rotate = true })
	s := site.process(t, site.db)
	version := connect(t, s, "alice", readMail).Credential.Version
	for range 3 { // each uses the one that the last has brought
		var err error
		_, version, err = s.Refresh(t.Context(), "alice", provider, version)
		require.NoError(t, err)
	}
	require.Equal(t, 3, site.server.Refreshes())
	require.Equal(t, version, site.credential(t, "alice").Version)
}

// T-19: after invalid_grant nobody asks again; a person's consent mends it.
func TestT19InvalidGrantIsFinal(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	s, other := site.process(t, site.db), site.process(t, site.open(t))
	first := connect(t, s, "alice", readMail)
	site.server.End()
	site.server.Forget()
	for range 3 {
		for _, process := range []*oauth.Service{s, other} {
			for _, try := range []func() error{
				func() error {
					_, err := call(t.Context(), process.Client("alice", provider), site.server.URL+"/api/")
					return err
				},
				func() error { _, _, err := process.Token(t.Context(), "alice", provider); return err },
				func() error {
					_, _, err := process.Refresh(t.Context(), "alice", provider, first.Credential.Version)
					return err
				},
			} {
				need, ok := errors.AsType[*oauth.ConsentError](try())
				if !ok { // the access token still counts until the API has refused it
					continue
				}
				require.Equal(t, provider, need.Provider)
				require.Equal(t, first.Credential.Version, need.Version)
				require.Empty(t, need.Scopes)
				require.Equal(t, "Google has ended the access: consent again", need.Reason)
			}
		}
	}
	require.Equal(t, 1, site.server.Refreshes(), "0 retries")
	ended, err := s.Credential(t.Context(), "alice", provider)
	require.NoError(t, err)
	require.False(t, ended.Active)
	require.NotEmpty(t, ended.Reason)
	require.EqualValues(t, first.Credential.Version, site.last(t, audit.CredentialEnded)["version"])

	var woken []string
	s.OnConsent(func(_ context.Context, owner string) { woken = append(woken, owner) })
	begun, err := s.Begin(t.Context(), oauth.Begin{Purpose: oauth.Connect, Owner: "alice", Provider: provider, Scopes: []string{readMail}})
	require.NoError(t, err)
	require.Equal(t, "consent", query(t, begun.URL).Get("prompt"))
	finished, err := s.Finish(t.Context(), callback(t, begun))
	require.NoError(t, err)
	require.Greater(t, finished.Credential.Version, first.Credential.Version)
	require.Equal(t, []string{"alice"}, woken)
	status, err := call(t.Context(), other.Client("alice", provider), site.server.URL+"/api/")
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)
}

// T-19: every other failure is temporary, says when to come back, and leaves everything as it was.
func TestT19OtherFailuresAreTemporary(t *testing.T) {
	t.Parallel()
	refuse := func(status int, code string) func(w http.ResponseWriter, form url.Values) bool {
		return func(w http.ResponseWriter, _ url.Values) bool {
			w.Header().Set("Retry-After", "7")
			oauthtest.Refuse(w, status, code)
			return true
		}
	}
	write := func(status int, body string) func(w http.ResponseWriter, form url.Values) bool {
		return func(w http.ResponseWriter, form url.Values) bool {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body + form.Get("refresh_token") + form.Get("client_secret")))
			return true
		}
	}
	for name, c := range map[string]struct {
		token func(w http.ResponseWriter, form url.Values) bool
		code  string
		after time.Duration
	}{
		"500":                         {refuse(500, "invalid_grant"), oauth.CodeProvider, 7 * time.Second},
		"503":                         {refuse(503, ""), oauth.CodeProvider, 7 * time.Second},
		"429":                         {refuse(429, "rate_limited"), oauth.CodeProvider, 7 * time.Second},
		"another 400":                 {refuse(400, "invalid_request"), oauth.CodeProvider, 7 * time.Second},
		"client refused":              {refuse(401, "invalid_client"), oauth.CodeMisconfigured, 0},
		"client not meant":            {refuse(400, "unauthorized_client"), oauth.CodeMisconfigured, 0},
		"garbage":                     {write(200, "<html>"), oauth.CodeProvider, 0},
		"half an answer":              {write(200, `{"token_type":"Bearer"}`+"\n"), oauth.CodeProvider, 0},
		"a refusal with what we sent": {write(400, "<html>"), oauth.CodeProvider, 0},
		"cut":                         {func(http.ResponseWriter, url.Values) bool { panic(http.ErrAbortHandler) }, oauth.CodeProvider, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			site := newSite(t)
			s := site.process(t, site.db)
			connect(t, s, "alice", readMail)
			before := site.credential(t, "alice")
			site.server.Set(func(r *oauthtest.Rules) { r.Token = c.token })
			_, _, err := s.Refresh(t.Context(), "alice", provider, before.Version)
			require.Equal(t, c.code, fault.CodeOf(err), "%v", err)
			failed, ok := errors.AsType[*fault.Error](err)
			require.True(t, ok)
			require.Equal(t, c.after, failed.RetryAfter)
			require.NotContains(t, err.Error(), oauthtest.ClientSecret)
			for _, token := range site.server.Tokens() {
				require.NotContains(t, err.Error(), token)
			}
			require.Equal(t, before, site.credential(t, "alice"))
			require.Equal(t, 1, site.server.Refreshes(), "whether to come back is the caller's decision")

			site.server.Set(func(r *oauthtest.Rules) { r.Token = nil })
			_, _, err = s.Refresh(t.Context(), "alice", provider, before.Version)
			require.NoError(t, err)
		})
	}
}

// A token that still works goes on being used while it cannot be renewed early.
func TestT19WorkingTokenOutlivesAnOutage(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	s := site.process(t, site.db)
	connect(t, s, "alice", readMail)
	site.server.Set(func(r *oauthtest.Rules) {
		r.Token = func(w http.ResponseWriter, _ url.Values) bool { oauthtest.Refuse(w, 503, ""); return true }
	})
	site.ages(t, "alice", 2*time.Minute)
	for range 5 {
		status, err := call(t.Context(), s.Client("alice", provider), site.server.URL+"/api/")
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, status)
	}
	require.Equal(t, 1, site.server.Refreshes(), "calls do not wait for the provider each")
	site.ages(t, "alice", -time.Second)
	_, _, err := s.Token(t.Context(), "alice", provider)
	require.Equal(t, oauth.CodeProvider, fault.CodeOf(err))
}

// Without a refresh token the access lasts as long as its token.
func TestT19NoLastingAccess(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	site.server.Set(func(r *oauthtest.Rules) { r.NoRefresh = true })
	s := site.process(t, site.db)
	connect(t, s, "alice", readMail)
	site.ages(t, "alice", time.Minute)
	_, _, err := s.Token(t.Context(), "alice", provider)
	require.NoError(t, err)
	site.ages(t, "alice", -time.Minute)
	_, _, err = s.Token(t.Context(), "alice", provider)
	_, ok := errors.AsType[*oauth.ConsentError](err)
	require.True(t, ok, "%v", err)
	require.Zero(t, site.server.Refreshes())
	require.Equal(t, "needs_reconnect", site.credential(t, "alice").State)
}

func TestNobodyConnected(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	s := site.process(t, site.db)
	_, _, err := s.Token(t.Context(), "alice", provider)
	need, ok := errors.AsType[*oauth.ConsentError](err)
	require.True(t, ok)
	require.Equal(t, oauth.ConsentError{Provider: provider, Reason: "Google is not connected"}, *need)
	_, _, err = s.Refresh(t.Context(), "alice", provider, 1)
	_, ok = errors.AsType[*oauth.ConsentError](err)
	require.True(t, ok)
}
