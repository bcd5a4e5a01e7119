package slack

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Method is a method of Slack's Web API.
type Method string

// The methods that tests are about; all others are counted under their names too.
const (
	Access   Method = "oauth.v2.access"
	Revoke   Method = "auth.revoke"
	Whose    Method = "auth.test"
	Channels Method = "conversations.list"
	History  Method = "conversations.history"
	Replies  Method = "conversations.replies"
	Users    Method = "users.list"
	Post     Method = "chat.postMessage"
)

func methodOf(r *http.Request) Method { return Method(strings.TrimPrefix(r.URL.Path, "/api/")) }

// Fault is what goes wrong with one request. The zero fault is none, so that of several requests a later one can be
// hit.
type Fault struct {
	Status     int           // answered without asking the emulator
	Error      string        // Slack's word for it, with status 200 unless Status is set
	Needed     string        // with missing_scope
	RetryAfter time.Duration // whole seconds

	Cut  bool // the connection breaks after the emulator has acted
	Lost bool // the connection breaks and the emulator has seen nothing

	Arrived chan<- struct{} // told when the emulator has acted, or before it is asked if Before is set
	Before  <-chan struct{} // the request waits here before the emulator sees it
}

// RevokeAll ends every token but the test's own, as a person does in the settings of the workspace.
func (s *Server) RevokeAll() {
	s.proxy.mu.Lock()
	defer s.proxy.mu.Unlock()
	for token := range s.proxy.tokens {
		s.proxy.tokens[token] = token == s.own
	}
}

func (f Fault) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	if f.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(f.RetryAfter/time.Second)))
	}
	if f.Status != 0 {
		w.WriteHeader(f.Status)
	}
	doc := map[string]any{"ok": false, "error": f.Error}
	if f.Needed != "" {
		doc["needed"] = f.Needed
	}
	_ = json.NewEncoder(w).Encode(doc) // who has gone away needs no answer
}

func (f Fault) arrive() {
	if f.Arrived != nil {
		f.Arrived <- struct{}{}
	}
}
