package main

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"

	"steward/internal/mcpclient"
	"steward/internal/oauth/remote"
	"steward/internal/secret"
)

// document is where the suite believes our client ID metadata to be.
const document = "https://conformance-test.local/client-metadata.json"

// redirect is where the suite's authorization servers send the browser: nobody listens, the answer is in the URL.
const redirect = "http://127.0.0.1:33418/callback"

// attempts is how often one request may be authorized anew: once for a token, once for more scopes.
const attempts = 2

// access gets tokens for the server, as the registry does for a user.
type access struct {
	oauth      *remote.Client
	browser    *http.Client
	app        remote.App
	assignment assignment
	known      map[string]remote.Registration // by issuer
	granted    []string
}

func newAccess(client *http.Client, a assignment) (*access, error) {
	oauth, err := remote.New(client)
	if err != nil {
		return nil, err
	}
	browser := *client
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &access{
		oauth: oauth, browser: &browser, assignment: a, known: map[string]remote.Registration{},
		app: remote.App{Name: "Steward", URL: "https://steward.example", Redirect: redirect, Document: document},
	}, nil
}

// authorized runs do, and again with a new token when the server refuses it for the lack of one.
func (u *user) authorized(ctx context.Context, do func(mcpclient.Target) error) error {
	for attempt := 0; ; attempt++ {
		err := do(u.target)
		e, ok := errors.AsType[*mcpclient.Error](err)
		if !ok || attempt == attempts {
			return err
		}
		challenge := remote.ParseChallenge(e.Challenge)
		if e.Status != http.StatusUnauthorized && (e.Status != http.StatusForbidden || !challenge.Insufficient()) {
			return err
		}
		token, failed := u.access.token(ctx, u.target.HTTP.URL, challenge)
		if failed != nil {
			return fmt.Errorf("authorizing after %w: %w", err, failed)
		}
		server := *u.target.HTTP
		server.Header = map[string]secret.String{"Authorization": secret.New("Bearer " + token)}
		u.target.HTTP = &server
		u.target.Key.Credential++
	}
}

func (a *access) token(ctx context.Context, server string, ch remote.Challenge) (string, error) {
	authority, err := a.oauth.Discover(ctx, server, ch)
	if err != nil {
		return "", err
	}
	registration, err := a.registration(ctx, authority)
	if err != nil {
		return "", err
	}
	a.granted = remote.Union(a.granted, authority.Wanted(ch))
	token, err := a.ask(ctx, authority, registration)
	if err != nil {
		return "", err
	}
	return token.AccessToken, nil
}

// registration is what the issuer knows us by: what was set up, or else what is agreed now, once.
func (a *access) registration(ctx context.Context, authority *remote.Authority) (remote.Registration, error) {
	if known, ok := a.known[authority.Issuer]; ok {
		return known, nil
	}
	given, err := a.given()
	if err != nil {
		return remote.Registration{}, err
	}
	registration, err := a.oauth.Register(ctx, &authority.Metadata, a.app, given)
	if err == nil {
		a.known[authority.Issuer] = registration
	}
	return registration, err
}

func (a *access) given() (*remote.Registration, error) {
	beside := a.assignment.beside
	given := &remote.Registration{Kind: remote.Given, ClientID: beside.ClientID, Secret: secret.New(beside.ClientSecret)}
	switch {
	case beside.ClientID == "":
		return nil, nil
	case beside.PrivateKey != "":
		key, err := signer(beside.PrivateKey)
		if err != nil {
			return nil, err
		}
		given.Key, given.Method = key, remote.MethodKey
	case beside.ClientSecret != "":
		given.Method = remote.MethodBasic
	default:
		given.Method = remote.MethodNone
	}
	return given, nil
}

func signer(text string) (crypto.Signer, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("the private key is not PEM")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("reading the private key: %w", err)
	}
	s, ok := key.(crypto.Signer)
	if !ok {
		return nil, errors.New("the private key cannot sign")
	}
	return s, nil
}

// ask gets a token in the way that the assignment is about.
func (a *access) ask(ctx context.Context, authority *remote.Authority, r remote.Registration) (*oauth2.Token, error) {
	m := &authority.Metadata
	switch {
	case a.assignment.beside.Workload != "":
		return a.oauth.JWTBearer(ctx, m, r, a.assignment.beside.Workload, authority.Resource, a.granted)
	case strings.HasPrefix(a.assignment.scenario, "auth/client-credentials-"):
		return a.oauth.ClientCredentials(ctx, m, r, authority.Resource, a.granted)
	}
	ask := remote.Ask{
		State: rand.Text(), Verifier: oauth2.GenerateVerifier(), Redirect: redirect, Resource: authority.Resource, Scopes: a.granted,
	}
	code, err := a.consent(ctx, m, r, ask)
	if err != nil {
		return nil, err
	}
	return a.oauth.Exchange(ctx, m, r, code, ask)
}

// consent is a browser whose user agrees to everything.
func (a *access) consent(ctx context.Context, m *remote.Metadata, r remote.Registration, ask remote.Ask) (string, error) {
	page, err := remote.AuthorizeURL(m, r, ask)
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, page, nil)
	if err != nil {
		return "", err
	}
	resp, err := a.browser.Do(req)
	if err != nil {
		return "", err
	}
	if err := resp.Body.Close(); err != nil {
		return "", err
	}
	answer, err := url.Parse(resp.Header.Get("Location"))
	if err != nil {
		return "", err
	}
	query := answer.Query()
	if query.Get("state") != ask.State {
		return "", errors.New("the answer belongs to another question")
	}
	if err := remote.CheckIssuer(m, query.Get("iss")); err != nil {
		return "", err
	}
	if query.Get("code") == "" {
		return "", errors.New("no code: " + query.Get("error"))
	}
	return query.Get("code"), nil
}
