package oauth_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"
)

// fakeAS is a remote server with an authorization server of its own, as dishonest as a test wants it. Its refresh
// tokens rotate; one that was used is taken again within grace, with the same answer.
type fakeAS struct {
	*httptest.Server

	resource string               // in its metadata; "": its own
	change   func(map[string]any) // of the authorization server's metadata
	answered func(url.Values)     // called when a refresh token has rotated, before anybody gets to know

	mu      sync.Mutex
	issuer  string // that its metadata name
	error   string
	clients int
	back    []string // redirect URIs of the last client
	forms   []url.Values
	grace   time.Duration
	good    string
	used    map[string]rotated
}

type rotated struct {
	next string
	at   time.Time
}

func newFake(t testing.TB) *fakeAS {
	t.Helper()
	f := &fakeAS{good: "rt 0", used: map[string]rotated{}}
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/oauth-protected-resource/mcp", f.describe)
	mux.HandleFunc("/.well-known/oauth-authorization-server", f.metadata)
	mux.HandleFunc("/register", f.register)
	mux.HandleFunc("/token", f.token)
	f.Server = httptest.NewServer(mux)
	f.issuer = f.URL
	t.Cleanup(f.Close)
	return f
}

func say(w http.ResponseWriter, status int, document any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(document)
}

func (f *fakeAS) describe(w http.ResponseWriter, _ *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	resource := f.resource
	if resource == "" {
		resource = f.URL + "/mcp"
	}
	say(w, http.StatusOK, map[string]any{"resource": resource, "authorization_servers": []string{f.issuer}, "scopes_supported": []string{"read"}})
}

func (f *fakeAS) metadata(w http.ResponseWriter, _ *http.Request) {
	m := map[string]any{
		"issuer": f.URL, "authorization_endpoint": f.URL + "/authorize", "token_endpoint": f.URL + "/token", "registration_endpoint": f.URL + "/register",
		"response_types_supported": []string{"code"}, "code_challenge_methods_supported": []string{"S256"},
		"authorization_response_iss_parameter_supported": true,
	}
	if f.change != nil {
		f.change(m)
	}
	say(w, http.StatusOK, m)
}

func (f *fakeAS) register(w http.ResponseWriter, r *http.Request) {
	var client struct {
		Redirects []string `json:"redirect_uris"`
	}
	_ = json.NewDecoder(r.Body).Decode(&client)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.clients++
	f.back = client.Redirects
	say(w, http.StatusCreated, map[string]any{"client_id": fmt.Sprint("client ", f.clients), "client_secret": "hush"})
}

func (f *fakeAS) token(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	f.mu.Lock()
	f.forms = append(f.forms, r.PostForm)
	answered := f.answered
	status, answer := f.answer(r.PostForm)
	f.mu.Unlock()
	if answered != nil {
		answered(r.PostForm)
	}
	say(w, status, answer)
}

func (f *fakeAS) answer(form url.Values) (int, map[string]any) {
	if f.error != "" {
		return http.StatusBadRequest, map[string]any{"error": f.error}
	}
	n := len(f.forms)
	ok := map[string]any{"access_token": fmt.Sprint("at ", n), "token_type": "Bearer", "expires_in": 3600, "refresh_token": f.good}
	if form.Get("grant_type") != "refresh_token" {
		return http.StatusOK, ok
	}
	old := form.Get("refresh_token")
	if again, was := f.used[old]; was && time.Since(again.at) < f.grace {
		ok["refresh_token"] = again.next
		return http.StatusOK, ok
	}
	if old != f.good {
		return http.StatusBadRequest, map[string]any{"error": "invalid_grant"}
	}
	f.good = fmt.Sprint("rt ", n)
	f.used[old] = rotated{f.good, time.Now()}
	ok["refresh_token"] = f.good
	return http.StatusOK, ok
}

// name makes its metadata name another authorization server.
func (f *fakeAS) name(issuer string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.issuer = issuer
}

// refuse makes the token endpoint answer with an error; "": no more.
func (f *fakeAS) refuse(code string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.error = code
}

// first is a refresh token that it takes.
func (f *fakeAS) first() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.good
}

// redirects are those of the client that registered last.
func (f *fakeAS) redirects() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.back)
}

// asked is how often its token endpoint was asked.
func (f *fakeAS) asked() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.forms)
}

func (f *fakeAS) lastForm() url.Values {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.forms)[len(f.forms)-1]
}
