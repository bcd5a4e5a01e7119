package oauth_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/audit"
	"steward/internal/config"
	"steward/internal/fault"
	"steward/internal/oauth"
	"steward/internal/oauth/oauthtest"
	"steward/internal/secret"
)

func TestLogin(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	s := site.process(t, site.db)
	var told []string
	s.OnConsent(func(_ context.Context, owner string) { told = append(told, owner) })

	begun, err := s.Begin(t.Context(), oauth.Begin{Purpose: oauth.Login, Provider: provider, Redirect: "/console"})
	require.NoError(t, err)
	asked := query(t, begun.URL)
	require.Equal(t, "S256", asked.Get("code_challenge_method"))
	require.Equal(t, publicURL+"/auth/google/callback", asked.Get("redirect_uri"))
	require.Equal(t, "openid https://www.googleapis.com/auth/userinfo.email", asked.Get("scope"))
	require.Equal(t, "offline", asked.Get("access_type"))
	require.False(t, asked.Has("prompt"), "nobody is bothered twice")
	require.Len(t, asked.Get("state"), 43, "256 bits")
	require.WithinDuration(t, time.Now().Add(10*time.Minute), begun.Expires, time.Minute)

	finished, err := s.Finish(t.Context(), callback(t, begun))
	require.NoError(t, err)
	owner := "google-" + oauthtest.Alice.Subject
	require.Equal(t, oauth.Login, finished.Purpose)
	require.Equal(t, owner, finished.Owner)
	require.Equal(t, "/console", finished.Redirect)
	require.Equal(t, oauthtest.Alice.Email, finished.Credential.Account)
	require.True(t, finished.Credential.Active)
	require.Empty(t, finished.Missing)
	require.Equal(t, []string{owner}, told)
	require.Equal(t, []string{audit.Login, audit.CredentialGranted}, site.kinds(t))
	require.Equal(t, map[string]any{"provider": provider, "account": oauthtest.Alice.Email, "allowed": true}, site.last(t, audit.Login))

	again, err := s.Credential(t.Context(), owner, provider)
	require.NoError(t, err)
	require.Equal(t, &finished.Credential, again)
	nobody, err := s.Credential(t.Context(), "bob", provider)
	require.NoError(t, err)
	require.Nil(t, nobody)
}

// T-33: what the database holds is of no use without the key.
func TestT33TokensAreSealed(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	s := site.process(t, site.db)
	connect(t, s, "alice", readMail)
	site.server.Forget()
	_, _, err := s.Refresh(t.Context(), "alice", provider, site.credential(t, "alice").Version)
	require.NoError(t, err)
	var dump string
	require.NoError(t, site.db.Pool.QueryRow(t.Context(), `SELECT concat(
		(SELECT string_agg(concat(c::text, convert_from(access_sealed, 'UTF8'), convert_from(refresh_sealed, 'UTF8')), '') FROM credentials c),
		(SELECT string_agg(f::text, '') FROM oauth_flows f), (SELECT string_agg(e::text, '') FROM audit_events e))`).Scan(&dump))
	require.Contains(t, dump, oauthtest.Alice.Email)
	for _, token := range append(site.server.Tokens(), oauthtest.ClientSecret) {
		require.NotContains(t, dump, token)
	}
}

// T-35: a sealed token that was copied into another user's row does not open there.
func TestT35TokensBelongToTheirOwner(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	s := site.process(t, site.db)
	connect(t, s, "alice", readMail)
	connect(t, s, "mallory", readMail)
	_, err := site.db.Pool.Exec(t.Context(), `UPDATE credentials m SET access_sealed = a.access_sealed FROM credentials a
		WHERE m.owner = 'mallory' AND a.owner = 'alice'`)
	require.NoError(t, err)
	_, _, err = s.Token(t.Context(), "mallory", provider)
	require.Equal(t, secret.CodeMisplaced, fault.CodeOf(err))
	_, _, err = s.Token(t.Context(), "alice", provider)
	require.NoError(t, err)
}

func TestStepUpKeepsWhatWasGranted(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	s := site.process(t, site.db)
	first := connect(t, s, "alice", readMail)
	require.Equal(t, "alice", first.Owner)
	require.Equal(t, "gmail", first.Connector)

	begun, err := s.Begin(t.Context(), oauth.Begin{Purpose: oauth.Connect, Owner: "alice", Provider: provider, Scopes: []string{sendMail}})
	require.NoError(t, err)
	asked := query(t, begun.URL)
	require.Equal(t, "consent", asked.Get("prompt"), "a scope is missing")
	require.Equal(t, "true", asked.Get("include_granted_scopes"))
	require.Equal(t, oauthtest.Alice.Email, asked.Get("login_hint"))
	require.Len(t, strings.Fields(asked.Get("scope")), 4, "each once")
	second, err := s.Finish(t.Context(), callback(t, begun))
	require.NoError(t, err)
	require.Subset(t, second.Credential.Scopes, []string{readMail, sendMail})
	require.Greater(t, second.Credential.Version, first.Credential.Version)

	begun, err = s.Begin(t.Context(), oauth.Begin{Purpose: oauth.Connect, Owner: "alice", Provider: provider, Scopes: []string{sendMail}})
	require.NoError(t, err)
	require.False(t, query(t, begun.URL).Has("prompt"), "nothing is missing")
}

func TestGrantedScopesAreTheProvidersWord(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	s := site.process(t, site.db)
	site.server.Set(func(r *oauthtest.Rules) {
		r.Granted = func(asked string) string { return strings.ReplaceAll(asked, sendMail, "") } // unticked
	})
	finished := connect(t, s, "alice", readMail, sendMail)
	require.Equal(t, []string{sendMail}, finished.Missing)
	require.NotContains(t, finished.Credential.Scopes, sendMail)
	require.Equal(t, []any{sendMail}, site.last(t, audit.CredentialGranted)["missing"])

	site.server.Set(func(r *oauthtest.Rules) { r.Granted = func(string) string { return "" } }) // silence: all of it
	finished = connect(t, s, "bob", readMail, sendMail)
	require.Empty(t, finished.Missing)
	require.Subset(t, finished.Credential.Scopes, []string{readMail, sendMail})

	site.server.Set(func(r *oauthtest.Rules) { r.Granted = func(string) string { return readMail } }) // taken away since
	site.server.Forget()
	_, _, err := s.Refresh(t.Context(), "bob", provider, finished.Credential.Version)
	require.NoError(t, err)
	require.Equal(t, []string{readMail}, site.credential(t, "bob").Scopes)
}

// Somebody who signs in again asks for nothing; what was connected stays.
func TestLoginKeepsTheConnection(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	s := site.process(t, site.db)
	owner := "google-" + oauthtest.Alice.Subject
	login := func() oauth.Finished {
		begun, err := s.Begin(t.Context(), oauth.Begin{Purpose: oauth.Login, Provider: provider})
		require.NoError(t, err)
		finished, err := s.Finish(t.Context(), callback(t, begun))
		require.NoError(t, err)
		return finished
	}
	login()
	connected := connect(t, s, owner, readMail)
	require.Equal(t, connected.Credential, login().Credential)
	require.Equal(t, audit.Login, site.kinds(t)[len(site.kinds(t))-1])

	begun, err := s.Begin(t.Context(), oauth.Begin{Purpose: oauth.Login, Provider: provider, Scopes: []string{readMail}})
	require.NoError(t, err)
	require.Equal(t, "true", query(t, begun.URL).Get("include_granted_scopes"))

	// Nor does a login without a refresh token take the place of a grant that has ended: it would not last.
	site.server.End()
	site.server.Forget()
	_, _, err = s.Refresh(t.Context(), owner, provider, connected.Credential.Version)
	require.Error(t, err)
	site.server.Set(func(r *oauthtest.Rules) { r.NoRefresh = true })
	require.False(t, login().Credential.Active)
	site.server.Set(func(r *oauthtest.Rules) { r.NoRefresh = false })
	require.True(t, login().Credential.Active)
}

// Google gives a refresh token once; later answers leave it out.
func TestRefreshTokenIsKept(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	s := site.process(t, site.db)
	connect(t, s, "alice", readMail)
	kept := site.credential(t, "alice").RefreshSealed
	site.server.Set(func(r *oauthtest.Rules) { r.NoRefresh = true })
	connect(t, s, "alice", readMail)
	require.Equal(t, kept, site.credential(t, "alice").RefreshSealed)

	site.server.Set(func(r *oauthtest.Rules) { r.Account = oauthtest.Account{Subject: "7", Email: "bob@example.com"} })
	finished := connect(t, s, "alice", readMail)
	require.Nil(t, site.credential(t, "alice").RefreshSealed, "it was another account's")
	require.Equal(t, "bob@example.com", finished.Credential.Account)
	require.Equal(t, oauthtest.Alice.Email, site.last(t, audit.CredentialGranted)["replaces"])
}

func TestNotConfigured(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	s := site.process(t, site.db, func(o *oauth.Options) { o.Providers = nil })
	_, err := s.Begin(t.Context(), oauth.Begin{Purpose: oauth.Login, Provider: provider})
	require.Equal(t, oauth.CodeNotConfigured, fault.CodeOf(err))
	require.True(t, fault.Is(err, fault.Unavailable))
	_, err = s.Link("alice", provider, "gmail", nil, "")
	require.Equal(t, oauth.CodeNotConfigured, fault.CodeOf(err))
	_, _, err = s.Token(t.Context(), "alice", provider)
	require.Equal(t, oauth.CodeNotConfigured, fault.CodeOf(err))
	_, err = call(t.Context(), s.Client("alice", provider), site.server.URL+"/api/")
	require.Equal(t, oauth.CodeNotConfigured, fault.CodeOf(err))
}

func TestRedirectsStayAtRegisteredOrigins(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	s := site.process(t, site.db)
	for target, allowed := range map[string]bool{
		"": true, "/": true, "/console?tab=1#x": true, publicURL + "/done": true, "https://app.example/back": true,
		"HTTPS://APP.EXAMPLE/back": true, "https://app.example": true,
		"https://evil.example/": false, "//evil.example/": false, "/\\evil.example": false, "\\\\evil.example": false,
		"https://app.example@evil.example/": false, "https://app.example.evil.example/": false, "https://app.example:444/": false,
		"http://app.example/": false, "javascript:alert(1)": false, "data:text/html,x": false, "relative": false,
		" https://app.example/": false, "/\t/evil.example": false, "https:app.example": false, "/\n": false, "https://": false,
	} {
		_, err := s.Link("alice", provider, "gmail", nil, target)
		_, beginErr := s.Begin(t.Context(), oauth.Begin{Purpose: oauth.Connect, Owner: "alice", Provider: provider, Redirect: target})
		if allowed {
			require.NoError(t, err, target)
			require.NoError(t, beginErr, target)
			continue
		}
		for _, err := range []error{err, beginErr} {
			require.True(t, fault.Is(err, fault.Invalid), "%s: %v", target, err)
			require.ErrorContains(t, err, "body.redirect_url")
		}
	}
}

func TestWhoMaySignIn(t *testing.T) {
	t.Parallel()
	staff := oauthtest.Account{Subject: "1", Email: "Ann@Corp.example", Domain: "corp.example"}
	former := oauthtest.Account{Subject: "2", Email: "ex@corp.example"} // a consumer account with the address
	private := oauthtest.Account{Subject: "3", Email: "joe@gmail.com"}
	for name, c := range map[string]struct {
		list    []string
		account oauthtest.Account
		allowed bool
	}{
		"no list":                 {nil, private, true},
		"everybody":               {[]string{"*"}, former, true},
		"address":                 {[]string{"ann@corp.example"}, staff, true},
		"other address":           {[]string{"bob@corp.example"}, staff, false},
		"domain":                  {[]string{" @corp.example "}, staff, true},
		"domain, not managed":     {[]string{"@corp.example"}, former, false},
		"domain, but its address": {[]string{"@corp.example", "ex@corp.example"}, former, true},
		"longer domain":           {[]string{"@example"}, staff, false},
		"end of a domain":         {[]string{"corp.example"}, staff, false},
		"gmail":                   {[]string{"@gmail.com"}, private, true},
		"other domain":            {[]string{"@gmail.com"}, staff, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			site := newSite(t)
			s := site.process(t, site.db, func(o *oauth.Options) { o.Logins = c.list })
			site.server.Set(func(r *oauthtest.Rules) { r.Account = c.account })
			begun, err := s.Begin(t.Context(), oauth.Begin{Purpose: oauth.Login, Provider: provider})
			require.NoError(t, err)
			_, err = s.Finish(t.Context(), callback(t, begun))
			require.Equal(t, c.allowed, site.last(t, audit.Login)["allowed"])
			if c.allowed {
				require.NoError(t, err)
				return
			}
			require.Equal(t, oauth.CodeLoginRefused, fault.CodeOf(err))
			stored, err := s.Credential(t.Context(), "google-"+c.account.Subject, provider)
			require.NoError(t, err)
			require.Nil(t, stored)
		})
	}
}

func TestForget(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	s := site.process(t, site.db)
	for range 2 {
		_, err := s.Begin(t.Context(), oauth.Begin{Purpose: oauth.Login, Provider: provider})
		require.NoError(t, err)
	}
	link, err := s.Link("alice", provider, "gmail", nil, "")
	require.NoError(t, err)
	_, err = s.OpenLink(t.Context(), query(t, link).Get("link"))
	require.NoError(t, err)
	n, err := s.Forget(t.Context())
	require.NoError(t, err)
	require.Zero(t, n)
	_, err = site.db.Pool.Exec(t.Context(), `WITH one AS (UPDATE oauth_links SET expires_at = now() - interval '2 hours')
		UPDATE oauth_flows SET expires_at = now() - interval '2 hours' WHERE state_digest = (SELECT state_digest FROM oauth_flows LIMIT 1)`)
	require.NoError(t, err)
	n, err = s.Forget(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 2, n)
}

func TestNew(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	google := func(change func(c *config.Google)) oauth.Provider {
		c := site.server.Config()
		change(&c)
		return oauth.Google(c)
	}
	for name, change := range map[string]func(o *oauth.Options){
		"no transport":        func(o *oauth.Options) { o.Transport = nil },
		"weak key":            func(o *oauth.Options) { o.LinkKey = secret.New("c2hvcnQ=") },
		"no public URL":       func(o *oauth.Options) { o.PublicURL = "" },
		"origin with no host": func(o *oauth.Options) { o.Origins = []string{"app.example"} },
		"issuer in clear": func(o *oauth.Options) {
			o.Providers = []oauth.Provider{google(func(c *config.Google) { c.Discovery = "http://issuer.example" })}
		},
		"API in clear": func(o *oauth.Options) {
			o.Providers = []oauth.Provider{google(func(c *config.Google) { c.APIURL = "http://10.1.2.3" })}
		},
		"no client": func(o *oauth.Options) {
			o.Providers = []oauth.Provider{google(func(c *config.Google) { c.ClientID = "" })}
		},
	} {
		o := site.options(t)
		change(&o)
		_, err := oauth.New(site.db, site.ring, discard(), o)
		require.Error(t, err, name)
	}
	_, err := oauth.New(nil, site.ring, discard(), site.options(t))
	require.Error(t, err)
}
