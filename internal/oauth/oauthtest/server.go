// Package oauthtest is an authorization server with an API behind it, for tests of whatever uses one: it can
// rotate, delay, fail, lie and count.
package oauthtest

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/config"
	"steward/internal/secret"
)

// Our registration there.
const (
	ClientID     = "steward.test"
	ClientSecret = "GOCSPX-secret-of-the-client"
)

// Account is who consents.
type Account struct {
	Subject, Email string
	Domain         string // hd
}

// Alice is who consents unless Rules say otherwise.
var Alice = Account{Subject: "10769150350006150715", Email: "alice@example.com"}

// Rules are how the server behaves. Their zero value is a server like Google's.
type Rules struct {
	Account   Account
	Rotate    bool                                              // every refresh brings another refresh token
	NoRefresh bool                                              // there is no refresh token at all
	Lifetime  time.Duration                                     // of access tokens; 0: an hour
	Granted   func(asked string) string                         // scope of the answer
	Claims    func(claims map[string]any)                       // changes the ID token before it is signed
	Signed    func(token string) string                         // and after
	Metadata  func(document map[string]any)                     // changes the OpenID configuration
	Issuer    string                                            // iss of the authorization response
	Deny      string                                            // error of the authorization response
	Token     func(w http.ResponseWriter, form url.Values) bool // answers instead of the token endpoint
	Revoke    func(w http.ResponseWriter, form url.Values) bool // and instead of the revocation endpoint
	API       func(w http.ResponseWriter, r *http.Request) bool // and instead of the API, behind the check of the token
}

// Server is one of them. Its API is everything below /api/.
type Server struct {
	URL string

	key  ed25519.PrivateKey
	http *httptest.Server

	mu        sync.Mutex
	rules     Rules
	codes     map[string]asked
	access    map[string]bool   // live tokens
	refresh   map[string]string // live tokens and their scope
	exchanges int
	refreshes int
	revoked   []string
	calls     []Call
}

// asked is what an authorization request said.
type asked struct{ challenge, nonce, scope, redirect string }

// Call is a request to the API.
type Call struct {
	Method, Path, Authorization, Body string
	Status                            int
}

// New starts a server that ends with the test.
func New(t testing.TB) *Server {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	s := &Server{key: key, rules: Rules{Account: Alice}, codes: map[string]asked{}, access: map[string]bool{}, refresh: map[string]string{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", s.metadata)
	mux.HandleFunc("GET /keys", s.keys)
	mux.HandleFunc("GET /authorize", s.authorize)
	mux.HandleFunc("POST /token", s.token)
	mux.HandleFunc("POST /revoke", s.revoke)
	mux.HandleFunc("/api/", s.api)
	s.http = httptest.NewServer(mux)
	t.Cleanup(s.http.Close)
	s.URL = s.http.URL
	return s
}

// Config is how a service is registered with this server.
func (s *Server) Config() config.Google {
	return config.Google{ClientID: ClientID, ClientSecret: secret.New(ClientSecret), Discovery: s.URL, APIURL: s.URL}
}

// Set changes the rules from now on.
func (s *Server) Set(change func(r *Rules)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.rules)
}

// Forget ends all access tokens: the API answers 401 to them.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.access)
}

// End ends all refresh tokens: invalid_grant.
func (s *Server) End() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.refresh)
}

// Exchanges counts codes that were brought to the token endpoint.
func (s *Server) Exchanges() int { return locked(s, func() int { return s.exchanges }) }

// Refreshes counts refresh tokens that were.
func (s *Server) Refreshes() int { return locked(s, func() int { return s.refreshes }) }

// Revoked lists the tokens that were brought to the revocation endpoint.
func (s *Server) Revoked() []string {
	return locked(s, func() []string { return append([]string(nil), s.revoked...) })
}

// Calls lists the requests to the API.
func (s *Server) Calls() []Call {
	return locked(s, func() []Call { return append([]Call(nil), s.calls...) })
}

// Tokens lists every token that is live.
func (s *Server) Tokens() []string {
	return locked(s, func() (all []string) {
		for t := range s.access {
			all = append(all, t)
		}
		for t := range s.refresh {
			all = append(all, t)
		}
		return all
	})
}

func locked[T any](s *Server, read func() T) T {
	s.mu.Lock()
	defer s.mu.Unlock()
	return read()
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client has gone
}

// Refuse answers with an error of RFC 6749 §5.2.
func Refuse(w http.ResponseWriter, status int, code string) {
	answer(w, status, map[string]string{"error": code, "error_description": "as the test wants it"})
}
