package oauth_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/dev/counterpart/google"
	"steward/internal/config"
	"steward/internal/oauth"
	"steward/internal/secret"
)

// TestT19Emulator is the life of a grant at a Google that we have not written: sign-in through a browser, 50
// parallel calls of two processes with an ended token, an outage, revocation by the user, consent again,
// disconnect.
func TestT19Emulator(t *testing.T) {
	t.Parallel()
	account := google.Start(t, google.Options{Redirects: []string{publicURL + "/auth/google/callback"}})
	site := newSite(t)
	emulated := func(o *oauth.Options) {
		o.Providers = []oauth.Provider{oauth.Google(config.Google{
			ClientID: google.ClientID, ClientSecret: secret.New(google.ClientSecret), Discovery: account.URL, APIURL: account.URL,
		})}
	}
	s, other := site.process(t, site.db, emulated), site.process(t, site.open(t), emulated)
	signIn := func() oauth.Finished {
		begun := begin(t, s, "alice")
		q := google.NewBrowser().Callback(t, begun.URL, google.Alice).Query()
		finished, err := s.Finish(t.Context(), oauth.Callback{Provider: provider, State: q.Get("state"), Code: q.Get("code"), Browser: begun.Browser})
		require.NoError(t, err)
		return finished
	}
	clients := []*http.Client{s.Client("alice", provider), other.Client("alice", provider)}
	list := func(i int) error {
		status, err := call(t.Context(), clients[i%2], s.APIURL(provider)+"/gmail/v1/users/me/messages")
		if err == nil && status != http.StatusOK {
			err = errors.New(http.StatusText(status))
		}
		return err
	}

	first := signIn()
	require.Equal(t, google.Alice, first.Credential.Account)
	require.Empty(t, first.Missing)
	require.NoError(t, list(0))

	account.Expire(t, google.Alice)
	require.NoError(t, errors.Join(together(50, list)...))
	require.Equal(t, 1, account.Count(google.Refresh), "50 parallel calls, 1 refresh")

	site.ages(t, "alice", 2*time.Minute)
	account.Inject(google.Refresh, 1, google.Fault{Status: http.StatusServiceUnavailable, RetryAfter: 3 * time.Second})
	require.NoError(t, list(0), "the token still works")
	require.NoError(t, list(1))
	require.Equal(t, 3, account.Count(google.Refresh))

	account.Revoke(t, google.Alice)
	for i, err := range together(20, list) {
		_, ok := errors.AsType[*oauth.ConsentError](err)
		require.True(t, ok, "call %d: %v", i, err)
	}
	require.Equal(t, 4, account.Count(google.Refresh), "invalid_grant, 0 retries")

	require.Greater(t, signIn().Credential.Version, first.Credential.Version)
	require.NoError(t, list(1))
	require.NoError(t, s.Disconnect(t.Context(), "alice", provider, "alice"))
	require.Equal(t, 1, account.Count(google.Revocation))
}
