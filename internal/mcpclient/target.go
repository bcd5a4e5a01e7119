package mcpclient

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"steward/internal/launch/process"
	"steward/internal/secret"
)

// Key identifies one place in the pool. Sessions are never shared between owners, nor between versions of
// a server's configuration or credential: a new Version retires the sessions of older ones.
type Key struct {
	Owner      string
	Server     int64
	Version    int64 // of the server's configuration
	Credential int64 // version of the owner's credential, 0 where none is used
	Secrets    int64 // version of what the owner has stored for the server, 0 for nothing
}

// older reports whether k is an earlier version of other: of the configuration, the credential or the secrets.
func (k Key) older(other Key) bool {
	return k.Owner == other.Owner && k.Server == other.Server &&
		(k.Version < other.Version || k.Credential < other.Credential || k.Secrets < other.Secrets)
}

// Target is one way to reach a server. Exactly one of Stdio and HTTP is set.
type Target struct {
	Key   Key
	Name  string // for logs and error texts
	Stdio *Stdio
	HTTP  *HTTP
	Era   Era  // what OnSeen reported last time; empty means unknown
	Wire  Wire // the same; it is tried first
	// Timeout is how long one request may take, opening a session included; 0 means Options.CallTimeout. While a
	// person is asked (Call.Ask) it stands still. A deadline of the caller's context holds beside it and stands
	// still for nobody: who brings Ask sets none, or one that leaves people their time.
	Timeout time.Duration
}

// Stdio is a server that runs as our child and speaks over its standard input and output.
type Stdio struct {
	Command string // a path or a name found in our PATH; never a shell line
	Args    []string
	// Env is added to the only variables the child gets otherwise: PATH, HOME and LANG.
	Env map[string]secret.String
	// Dir is the child's working directory and HOME. Empty means a fresh temporary one, removed afterwards.
	Dir string
	// Sandbox is what else the child may have. Nil confines nothing: for tests alone.
	Sandbox *process.Sandbox
	// Before is asked right before each start; its error keeps the child from starting. Nil: nobody is asked.
	Before func(context.Context) error
}

// HTTP is a server reached by the streamable HTTP transport, or by the SSE transport that came before it.
type HTTP struct {
	URL string
	// Header goes to the URL's own origin only, never along a redirect to another one.
	Header map[string]secret.String
	// Client decides what may be dialled. Its Timeout is not used: a stream outlives any of them.
	Client *http.Client
	// Reconnect is how a stream that breaks is taken up again. Requests are never repeated by it.
	Reconnect Reconnect
}

// Reconnect paces how a broken stream is resumed. What is zero has its default.
type Reconnect struct {
	First   time.Duration // the wait before the first attempt; default 1 second, or what the server asks for
	Grow    float64       // each further wait is so many times as long; default 1.5
	Most    time.Duration // no wait is longer; default 30 seconds
	Retries int           // attempts without progress before the session is given up; default 5
}

// Wire is how messages travel to an HTTP server.
type Wire string

// The wires.
const (
	WireStreamable Wire = "streamable_http" // 2025-03-26 and later
	WireSSE        Wire = "sse"             // 2024-11-05: a stream of events, and POSTs beside it
)

// Era is the half of the protocol's history that a server speaks. 2026-07-28 dropped the handshake, so a
// client must know, or find out, which one to use.
type Era string

// The eras.
const (
	EraModern Era = "modern" // 2026-07-28 and later: server/discover
	EraLegacy Era = "legacy" // up to 2025-11-25: initialize
)

// Negotiated is what opening a session told us about the server.
type Negotiated struct {
	Era             Era
	Wire            Wire // empty for stdio
	ProtocolVersion string
	ServerInfo      json.RawMessage // the server's own words about itself; null when it said nothing
}

func (t Target) validate() error {
	switch {
	case (t.Stdio == nil) == (t.HTTP == nil):
		return errors.New("a target needs either a command or a URL")
	case t.Stdio != nil && t.Stdio.Command == "":
		return errors.New("a stdio target needs a command")
	case t.HTTP != nil && t.HTTP.Client == nil:
		return errors.New("an HTTP target needs the client that may dial it")
	}
	return nil
}
