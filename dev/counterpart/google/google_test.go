package google_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"steward/dev/counterpart/google"
)

// site is an application that people sign in to with Google.
type site struct {
	*google.Server
	config   oauth2.Config
	provider *oidc.Provider
	url      string
	codes    chan url.Values
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{codes: make(chan url.Values, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "__Host-flow", Value: "7", Path: "/", Secure: true, HttpOnly: true})
		http.Redirect(w, r, s.config.AuthCodeURL("state-1", oidc.Nonce("nonce-1")), http.StatusFound)
	})
	mux.HandleFunc("GET /callback", func(w http.ResponseWriter, r *http.Request) {
		if _, err := r.Cookie("__Host-flow"); err != nil {
			http.Error(w, "another browser", http.StatusForbidden)
			return
		}
		s.codes <- r.URL.Query()
		_, _ = w.Write([]byte("signed in"))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	s.url = server.URL
	s.Server = google.Start(t, google.Options{Redirects: []string{server.URL + "/callback"}})
	var err error
	s.provider, err = oidc.NewProvider(t.Context(), s.URL)
	require.NoError(t, err)
	endpoint := s.provider.Endpoint()
	endpoint.AuthStyle = oauth2.AuthStyleInParams // finding it out costs a refused request
	s.config = oauth2.Config{
		ClientID: google.ClientID, ClientSecret: google.ClientSecret, RedirectURL: server.URL + "/callback",
		Endpoint: endpoint, Scopes: []string{"openid", "email", "https://www.googleapis.com/auth/gmail.readonly"},
	}
	return s
}

func (s *site) signIn(t *testing.T) *oauth2.Token {
	t.Helper()
	page := google.NewBrowser().SignIn(t, s.url+"/login", google.Alice)
	require.Equal(t, "signed in", page.Body)
	query := <-s.codes
	require.Equal(t, "state-1", query.Get("state"))
	token, err := s.config.Exchange(t.Context(), query.Get("code"))
	require.NoError(t, err)
	return token
}

func (s *site) status(t *testing.T, token string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/gmail/v1/users/me/messages", nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return resp.StatusCode
}

func TestSignInRefreshRevoke(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	token := s.signIn(t)
	id, err := s.provider.Verifier(&oidc.Config{ClientID: google.ClientID}).Verify(t.Context(), token.Extra("id_token").(string))
	require.NoError(t, err, "the issuer in the token is the one of the discovery document")
	require.Equal(t, "nonce-1", id.Nonce)
	require.Equal(t, http.StatusOK, s.status(t, token.AccessToken))
	require.Equal(t, http.StatusUnauthorized, s.status(t, "unknown"))

	s.Expire(t, google.Alice)
	require.Equal(t, http.StatusUnauthorized, s.status(t, token.AccessToken))
	token.Expiry = time.Now().Add(-time.Hour)
	fresh, err := s.config.TokenSource(t.Context(), token).Token()
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, s.status(t, fresh.AccessToken))
	require.Equal(t, 1, s.Count(google.Refresh))
	require.Equal(t, 1, s.Count(google.Exchange))

	s.Revoke(t, google.Alice)
	require.Equal(t, http.StatusUnauthorized, s.status(t, fresh.AccessToken), "also tokens of a refresh end")
	_, err = s.config.TokenSource(t.Context(), token).Token()
	refused := &oauth2.RetrieveError{}
	require.ErrorAs(t, err, &refused)
	require.Equal(t, "invalid_grant", refused.ErrorCode)
}

func TestGrantAndInjectedFaults(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.Grant(google.Grant{Scopes: "openid email", Expires: 90 * time.Second})
	token := s.signIn(t)
	require.Equal(t, "openid email", token.Extra("scope"))
	require.InDelta(t, 90, time.Until(token.Expiry).Seconds(), 5)

	s.Inject(google.Refresh, 1, google.InvalidGrant)
	token.Expiry = time.Now().Add(-time.Hour)
	_, err := s.config.TokenSource(t.Context(), token).Token()
	refused := &oauth2.RetrieveError{}
	require.ErrorAs(t, err, &refused)
	require.Equal(t, "invalid_grant", refused.ErrorCode)

	s.Inject(google.MessagesList, 2, google.Fault{Status: http.StatusForbidden, Reason: "insufficientPermissions"})
	require.Equal(t, http.StatusForbidden, s.status(t, token.AccessToken))
	require.Equal(t, http.StatusForbidden, s.status(t, token.AccessToken))
	require.Equal(t, http.StatusOK, s.status(t, token.AccessToken))
	require.Equal(t, 3, s.Count(google.MessagesList))
}

func TestCutConnections(t *testing.T) {
	t.Parallel()
	s := google.Start(t, google.Options{})
	revoke := func() error {
		resp, err := http.PostForm(s.URL+"/oauth2/revoke", url.Values{"token": {"x"}}) //nolint:noctx // local, and it answers or breaks
		if err != nil {
			return err
		}
		return resp.Body.Close()
	}
	s.Inject(google.Revocation, 1, google.Fault{Cut: true})
	s.Inject(google.Revocation, 1, google.Fault{Lost: true})
	require.Error(t, revoke())
	require.Error(t, revoke())
	require.NoError(t, revoke())

	arrived, release := make(chan struct{}, 1), make(chan struct{})
	s.Inject(google.Revocation, 1, google.Fault{Arrived: arrived, Before: release})
	done := make(chan error, 1)
	go func() { done <- revoke() }()
	<-arrived
	require.Empty(t, done)
	close(release)
	require.NoError(t, <-done)
}

func TestMailbox(t *testing.T) {
	t.Parallel()
	s := google.Start(t, google.Options{})
	first := s.Deliver(t, google.Alice, google.Mail{From: google.Bob, To: google.Alice, Subject: "Hello", Body: "Lunch?"})
	require.NotEmpty(t, first)
	require.Empty(t, s.Sent(t, google.Alice))
	require.Empty(t, s.Drafts(t, google.Alice))
	require.Equal(t, http.StatusOK, (&site{Server: s}).status(t, s.Token(google.Alice)))
	s.Delete(t, google.Alice, first)
}
