package remote_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"steward/internal/oauth/remote"
	"steward/internal/secret"
)

var listenConfig net.ListenConfig

// tokens is a token endpoint that keeps the last request.
func tokens(h *host, status int, answer map[string]any) func() (url.Values, http.Header) {
	var form url.Values
	var header http.Header
	h.page("/token", func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		form, header = r.PostForm, r.Header
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(answer)
	})
	return func() (url.Values, http.Header) { return form, header }
}

func known(h *host) *remote.Metadata {
	return &remote.Metadata{Issuer: h.URL, TokenEndpoint: h.URL + "/token", RevocationEndpoint: h.URL + "/revoke"}
}

var good = map[string]any{"access_token": "at", "token_type": "Bearer", "refresh_token": "rt", "expires_in": 60, "scope": "a b"}

func TestClientAuthentication(t *testing.T) {
	t.Parallel()
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	big, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		remote.Registration
		basic bool
		form  bool
	}{
		"none":    {Registration: remote.Registration{ClientID: "me", Method: remote.MethodNone, Secret: secret.New("s")}},
		"basic":   {Registration: remote.Registration{ClientID: "me", Method: remote.MethodBasic, Secret: secret.New("a:b")}, basic: true},
		"post":    {Registration: remote.Registration{ClientID: "me", Method: remote.MethodPost, Secret: secret.New("s")}, form: true},
		"ES256":   {Registration: remote.Registration{ClientID: "me", Method: remote.MethodKey, Key: p256}},
		"Ed25519": {Registration: remote.Registration{ClientID: "me", Method: remote.MethodKey, Key: edwards}},
		"RS256":   {Registration: remote.Registration{ClientID: "me", Method: remote.MethodKey, Key: big}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t)
			last := tokens(h, http.StatusOK, good)
			token, err := client(t).ClientCredentials(t.Context(), known(h), c.Registration, h.URL+"/mcp", []string{"a"})
			require.NoError(t, err)
			require.Equal(t, "at", token.AccessToken)
			form, header := last()
			require.Equal(t, "client_credentials", form.Get("grant_type"))
			require.Equal(t, h.URL+"/mcp", form.Get("resource"))
			require.Equal(t, "a", form.Get("scope"))
			id, password, basic := (&http.Request{Header: header}).BasicAuth()
			require.Equal(t, c.basic, basic)
			require.Equal(t, c.form, form.Has("client_secret"))
			if basic {
				require.Equal(t, "me", id)
				require.Equal(t, url.QueryEscape("a:b"), password, "RFC 6749 §2.3.1")
				return
			}
			require.Equal(t, "me", form.Get("client_id"))
			if c.Key != nil {
				proves(t, c.Key, form.Get("client_assertion"), h.URL)
			}
		})
	}
}

// proves checks an assertion as an authorization server does (RFC 7523 §3).
func proves(t *testing.T, key crypto.Signer, text, issuer string) {
	t.Helper()
	claims := jwt.RegisteredClaims{}
	_, err := jwt.ParseWithClaims(text, &claims, func(*jwt.Token) (any, error) { return key.Public(), nil },
		jwt.WithAudience(issuer), jwt.WithIssuer("me"), jwt.WithSubject("me"), jwt.WithExpirationRequired(), jwt.WithIssuedAt())
	require.NoError(t, err)
	require.NotEmpty(t, claims.ID)
	require.Less(t, time.Until(claims.ExpiresAt.Time), 2*time.Minute)
}

func TestGrants(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	last := tokens(h, http.StatusOK, good)
	c, m, r := client(t), known(h), remote.Registration{ClientID: "me", Method: remote.MethodNone}
	resource := h.URL + "/mcp"

	token, err := c.Exchange(t.Context(), m, r, "the code", remote.Ask{Verifier: "v", Redirect: "https://me.example/cb", Resource: resource})
	require.NoError(t, err)
	require.Equal(t, "rt", token.RefreshToken)
	require.WithinDuration(t, time.Now().Add(time.Minute), token.Expiry, 10*time.Second)
	require.Equal(t, "a b", token.Extra("scope"))
	form, _ := last()
	require.Equal(t, url.Values{
		"grant_type": {"authorization_code"}, "code": {"the code"}, "code_verifier": {"v"}, "redirect_uri": {"https://me.example/cb"},
		"resource": {resource}, "client_id": {"me"},
	}, form)

	_, err = c.Refresh(t.Context(), m, r, "old", resource)
	require.NoError(t, err)
	form, _ = last()
	require.Equal(t, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"old"}, "resource": {resource}, "client_id": {"me"}}, form)

	_, err = c.JWTBearer(t.Context(), m, r, "who I am", resource, []string{"a"})
	require.NoError(t, err)
	form, _ = last()
	require.Equal(t, "urn:ietf:params:oauth:grant-type:jwt-bearer", form.Get("grant_type"))
	require.Equal(t, "who I am", form.Get("assertion"))
}

func TestAnswersThatAreNoTokens(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	c, m, r := client(t), known(h), remote.Registration{ClientID: "me", Method: remote.MethodPost, Secret: secret.New("hush")}
	tokens(h, http.StatusBadRequest, map[string]any{"error": "invalid_grant", "error_description": "hush"})
	_, err := c.Refresh(t.Context(), m, r, "old", "")
	refused, ok := errors.AsType[*oauth2.RetrieveError](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, "invalid_grant", refused.ErrorCode)

	tokens(h, http.StatusOK, map[string]any{"access_token": "at", "token_type": "DPoP"})
	_, err = c.Refresh(t.Context(), m, r, "old", "")
	require.ErrorIs(t, err, remote.ErrIncomplete, "a type that we cannot use as a Bearer token")

	elsewhere := newHost(t)
	h.page("/token", http.RedirectHandler(elsewhere.URL+"/token", http.StatusTemporaryRedirect).ServeHTTP)
	_, err = c.Refresh(t.Context(), m, r, "old", "")
	require.Error(t, err)
	require.Empty(t, elsewhere.requests(), "secrets follow no redirect")

	_, err = c.Refresh(t.Context(), m, remote.Registration{Method: "tls_client_auth"}, "old", "")
	require.ErrorIs(t, err, remote.ErrNoRegistration)
	_, err = c.Refresh(t.Context(), m, remote.Registration{Method: remote.MethodKey}, "old", "")
	require.ErrorIs(t, err, remote.ErrNoRegistration, "no key")
}

func TestRevoke(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	var got *http.Request
	status := http.StatusOK
	h.page("/revoke", func(w http.ResponseWriter, r *http.Request) { _ = r.ParseForm(); got = r; w.WriteHeader(status) })
	c := client(t)
	require.NoError(t, c.Revoke(t.Context(), known(h), remote.Registration{ClientID: "me", Method: remote.MethodPost, Secret: secret.New("s")}, secret.New("rt"), "refresh_token"))
	require.Equal(t, url.Values{"token": {"rt"}, "token_type_hint": {"refresh_token"}, "client_id": {"me"}, "client_secret": {"s"}}, got.PostForm)
	require.NoError(t, c.Revoke(t.Context(), known(h), remote.Registration{ClientID: "me", Method: remote.MethodBasic, Secret: secret.New("s")}, secret.New("rt"), "refresh_token"))
	_, _, basic := got.BasicAuth()
	require.True(t, basic)
	require.False(t, got.PostForm.Has("client_secret"))
	status = http.StatusServiceUnavailable
	require.Error(t, c.Revoke(t.Context(), known(h), remote.Registration{ClientID: "me"}, secret.New("rt"), "refresh_token"))
	require.ErrorIs(t, c.Revoke(t.Context(), &remote.Metadata{}, remote.Registration{}, secret.New("rt"), ""), remote.ErrIncomplete)
}
