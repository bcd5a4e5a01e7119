package mcpclient

import (
	"encoding/json"
	"errors"
	"net/http"

	"steward/internal/secret"
)

// Key identifies one place in the pool. Sessions are never shared between owners, nor between versions of
// a server's configuration or credential: a new Version retires the sessions of older ones.
type Key struct {
	Owner      string
	Server     int64
	Version    int64 // of the server's configuration
	Credential int64 // version of the owner's credential, 0 where none is used
}

// older reports whether k is an earlier version of other: of the configuration or of the credential.
func (k Key) older(other Key) bool {
	return k.Owner == other.Owner && k.Server == other.Server && (k.Version < other.Version || k.Credential < other.Credential)
}

// Target is one way to reach a server. Exactly one of Stdio and HTTP is set.
type Target struct {
	Key   Key
	Name  string // for logs and error texts
	Stdio *Stdio
	HTTP  *HTTP
	Era   Era // what OnEra reported last time; empty means unknown
}

// Stdio is a server that runs as our child and speaks over its standard input and output.
type Stdio struct {
	Command string // a path or a name found in our PATH; never a shell line
	Args    []string
	// Env is added to the only variables the child gets otherwise: PATH, HOME and LANG.
	Env map[string]secret.String
	// Dir is the child's working directory and HOME. Empty means a fresh temporary one, removed afterwards.
	Dir string
}

// HTTP is a server reached by the streamable HTTP transport.
type HTTP struct {
	URL string
	// Header goes to the URL's own origin only, never along a redirect to another one.
	Header map[string]secret.String
	// Client decides what may be dialled. Its Timeout is not used: a stream outlives any of them.
	Client *http.Client
}

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
