package manifest

import (
	"steward/internal/fault"
	"steward/internal/registry/input"
	"steward/internal/secret"
)

// Types of remotes.
const (
	StreamableHTTP = "streamable-http"
	SSE            = "sse"
)

// Remote picks the remote to use: streamable HTTP before its predecessor. Nil: there is none.
func (m *Manifest) Remote() *Remote {
	var found *Remote
	for i, r := range m.Remotes {
		if r.Type == StreamableHTTP {
			return &m.Remotes[i]
		}
		if r.Type == SSE && found == nil {
			found = &m.Remotes[i]
		}
	}
	return found
}

// Address is the remote's URL with the variables' values in it. A variable that is secret is refused: URLs are shown
// and logged.
func (r *Remote) Address(values Values, unknown map[string]bool) (string, error) {
	said := map[string]secret.String{}
	for name, v := range r.Variables {
		if v.Secret {
			return "", fault.InvalidField("body.server.remotes", "the URL holds a secret, which would be shown wherever the URL is")
		}
		v, err := known("body", name, v, values, unknown)
		if err != nil {
			return "", err
		}
		if v.Default == "" {
			return "", fault.InvalidField("body.values."+name, "is required")
		}
		said[name] = secret.New(v.Default)
	}
	url, err := input.Expand(r.URL, said)
	if err != nil {
		return "", fault.InvalidField("body.server.remotes", "the URL names a variable that variables does not declare")
	}
	return url.Reveal(), nil
}

// Unused are the names of values that nothing asks for.
func Unused(values Values) map[string]bool {
	names := map[string]bool{}
	for name := range values {
		names[name] = true
	}
	return names
}
