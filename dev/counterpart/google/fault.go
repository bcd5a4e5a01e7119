package google

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// Fault is what goes wrong with one request. The zero fault is none, so that of several requests a later one
// can be hit.
type Fault struct {
	Status     int           // answered without asking the emulator; 0: it is asked
	Reason     string        // Google's word for it, such as insufficientPermissions
	RetryAfter time.Duration // whole seconds

	Cut  bool // the connection breaks: after the emulator has acted, or in place of Status
	Lost bool // the connection breaks and the emulator has seen nothing

	Arrived chan<- struct{} // told when the emulator has acted, or before it is asked if Before is set
	Before  <-chan struct{} // the request waits here before the emulator sees it
	After   <-chan struct{} // the answer waits here
}

// InvalidGrant answers a refresh as Google does after the user has withdrawn consent (RFC 6749 §5.2).
var InvalidGrant = Fault{Status: http.StatusBadRequest, Reason: "invalid_grant"}

// Grant is what is said of a grant.
type Grant struct {
	Scopes  string        // granted instead of what was asked for, separated by spaces; empty: all that was asked for
	Expires time.Duration // of access tokens; 0: an hour
}

// Grant changes what the token endpoint answers from now on. The emulator itself knows nothing of it.
func (s *Server) Grant(g Grant) {
	s.proxy.mu.Lock()
	defer s.proxy.mu.Unlock()
	s.proxy.grant = g
}

// write answers in Google's form, which is another one at the token endpoint.
func (f Fault) write(w http.ResponseWriter, kind Kind) {
	doc := any(map[string]any{"error": map[string]any{
		"code": f.Status, "message": http.StatusText(f.Status), "status": f.Reason,
		"errors": []any{map[string]string{"message": http.StatusText(f.Status), "domain": "global", "reason": f.Reason}},
	}})
	if kind == Exchange || kind == Refresh {
		doc = map[string]string{"error": f.Reason, "error_description": http.StatusText(f.Status)}
	}
	if f.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(f.RetryAfter/time.Second)))
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(f.Status)
	_ = json.NewEncoder(w).Encode(doc) // who has gone away needs no answer
}
