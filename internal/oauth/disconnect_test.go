package oauth_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/audit"
	"steward/internal/fault"
	"steward/internal/oauth"
	"steward/internal/oauth/oauthtest"
)

func TestDisconnect(t *testing.T) {
	t.Parallel()
	refuse := func(status int, code string) func(r *oauthtest.Rules) {
		return func(r *oauthtest.Rules) {
			r.Revoke = func(w http.ResponseWriter, _ url.Values) bool { oauthtest.Refuse(w, status, code); return true }
		}
	}
	for name, c := range map[string]struct {
		rule      func(r *oauthtest.Rules)
		confirmed bool
		prefix    string
	}{
		"revoked":              {func(*oauthtest.Rules) {}, true, "refresh-"},
		"no refresh token":     {func(r *oauthtest.Rules) { r.NoRefresh = true }, true, "access-"},
		"server is down":       {refuse(http.StatusServiceUnavailable, ""), false, "refresh-"},
		"refused":              {refuse(http.StatusBadRequest, "unsupported_token_type"), false, "refresh-"},
		"there is no such way": {func(r *oauthtest.Rules) { r.Metadata = func(d map[string]any) { delete(d, "revocation_endpoint") } }, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			site := newSite(t)
			site.server.Set(c.rule)
			s := site.process(t, site.db)
			before := connect(t, s, "alice", readMail)
			err := s.Disconnect(t.Context(), "alice", provider, "apikey:k1")
			if c.confirmed {
				require.NoError(t, err)
				require.Empty(t, site.server.Tokens())
			} else {
				require.Equal(t, oauth.CodeRevocationFailed, fault.CodeOf(err))
				require.True(t, fault.Is(err, fault.Upstream))
			}
			if c.prefix != "" {
				require.Len(t, site.server.Revoked(), 1)
				require.Contains(t, site.server.Revoked()[0], c.prefix)
			}
			gone, err := s.Credential(t.Context(), "alice", provider)
			require.NoError(t, err)
			require.Nil(t, gone)
			require.Equal(t, c.confirmed, site.last(t, audit.CredentialRevoked)["confirmed"])
			require.Equal(t, "apikey:k1", site.events(t)[len(site.events(t))-1].Actor)
			require.True(t, fault.Is(s.Disconnect(t.Context(), "alice", provider, "alice"), fault.NotFound))

			after := connect(t, s, "alice", readMail)
			require.Greater(t, after.Credential.Version, before.Credential.Version, "runs that wait for a later one see it")
		})
	}
}

// A grant that has ended already cannot be revoked again; Google says 400 then.
func TestDisconnectOfAnEndedGrant(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	s := site.process(t, site.db)
	version := connect(t, s, "alice", readMail).Credential.Version
	site.server.End()
	_, _, err := s.Refresh(t.Context(), "alice", provider, version)
	require.Error(t, err)
	site.server.Set(func(r *oauthtest.Rules) {
		r.Revoke = func(w http.ResponseWriter, _ url.Values) bool {
			oauthtest.Refuse(w, http.StatusBadRequest, "invalid_token")
			return true
		}
	})
	require.NoError(t, s.Disconnect(t.Context(), "alice", provider, "alice"))
}

// Without the registration nothing can be revoked; what is stored goes all the same.
func TestDisconnectWithoutRegistration(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	connect(t, site.process(t, site.db), "alice", readMail)
	s := site.process(t, site.db, func(o *oauth.Options) { o.Providers = nil })
	err := s.Disconnect(t.Context(), "alice", provider, "alice")
	require.Equal(t, oauth.CodeRevocationFailed, fault.CodeOf(err))
	gone, err := s.Credential(t.Context(), "alice", provider)
	require.NoError(t, err)
	require.Nil(t, gone)
}
