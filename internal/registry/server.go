package registry

import (
	"encoding/json"
	"fmt"
	"time"

	"steward/internal/mcpclient"
	"steward/internal/registry/input"
	"steward/internal/secret"
	"steward/internal/store"
)

// The transports, as rows name them.
const (
	transportStdio = "stdio"
	transportHTTP  = "http"
)

// Server is what is registered. Env and Headers are sealed before they are stored.
type Server struct {
	ID          int64 // of a server that is there already, or fixed by the caller of Register
	Name        string
	Title       string
	Description string
	WebsiteURL  string
	Release     string // the publisher's version of it
	Tags        []string
	Private     bool // an admin's for nobody else; users' always are

	Transport string // stdio or http
	Command   string
	Args      []string
	Image     string // of a container
	Env       map[string]secret.String
	EnvSchema []input.Field

	URL          string
	Headers      map[string]secret.String
	HeaderSchema []input.Field
	Reconnect    Reconnect
	SessionID    secret.String // of a session that the caller has with the server

	Timeout time.Duration // of one call; 0: the executor's
	Trusted bool          // its annotations and probes are believed
	// AuthProvider names the OAuth provider whose credential each caller brings, such as "google"; empty: none.
	AuthProvider string
	Disabled     bool
	Manifest     json.RawMessage // the server.json that it was imported from
}

// Reconnect paces how a broken stream of the server is taken up again. What is zero has its default. The names are
// those of the TypeScript SDK, in which the settings came into the world.
type Reconnect struct {
	MaxDelay     float64 `json:"maxReconnectionDelay,omitempty"`     // milliseconds
	InitialDelay float64 `json:"initialReconnectionDelay,omitempty"` // milliseconds
	Grow         float64 `json:"reconnectionDelayGrowFactor,omitempty"`
	Retries      int     `json:"maxRetries,omitempty"`
}

func (r Reconnect) pace() mcpclient.Reconnect {
	return mcpclient.Reconnect{
		Most: time.Duration(r.MaxDelay * float64(time.Millisecond)), First: time.Duration(r.InitialDelay * float64(time.Millisecond)),
		Grow: r.Grow, Retries: r.Retries,
	}
}

// decoded is a row as what was registered.
func (r *Registry) decoded(row *store.MCPServer) (Server, error) {
	o, err := r.settings(row)
	if err != nil {
		return Server{}, err
	}
	return Server{
		ID: row.ID, Name: row.Name, Title: row.Title, Description: row.Description, WebsiteURL: row.WebsiteURL, Release: row.Release, Tags: row.Tags,
		Private: row.Owner != nil, Transport: row.Transport, Command: row.Command, Args: row.Args, Image: row.Image, Env: o.env, EnvSchema: o.envInputs,
		URL: row.URL, Headers: o.headers, HeaderSchema: o.headerInput, Reconnect: o.timing,
		Timeout: time.Duration(row.TimeoutMs) * time.Millisecond, Trusted: row.Trusted, AuthProvider: row.AuthProvider, Disabled: !row.Enabled,
		Manifest: row.Manifest,
	}, nil
}

// encoded is what was registered as the columns of a row.
func encoded(ring *secret.Ring, owner *string, s Server) (store.InsertServerParams, error) {
	row := store.InsertServerParams{
		Owner: owner, Name: s.Name, Title: s.Title, Description: s.Description, WebsiteURL: s.WebsiteURL, Release: s.Release, Tags: orEmpty(s.Tags),
		Transport: s.Transport, Command: s.Command, Args: orEmpty(s.Args), Image: s.Image, URL: s.URL, TimeoutMs: s.Timeout.Milliseconds(),
		Trusted: s.Trusted, AuthProvider: s.AuthProvider, Enabled: !s.Disabled, Manifest: s.Manifest,
	}
	var err error
	if row.EnvSealed, err = seal(ring, envBinding(owner, s.Name), s.Env); err != nil {
		return row, err
	}
	if row.HeadersSealed, err = seal(ring, headersBinding(owner, s.Name), s.Headers); err != nil {
		return row, err
	}
	for _, part := range []struct {
		column *[]byte
		value  any
	}{{&row.EnvSchema, orEmpty(s.EnvSchema)}, {&row.HeaderSchema, orEmpty(s.HeaderSchema)}, {&row.Reconnect, s.Reconnect}} {
		if *part.column, err = json.Marshal(part.value); err != nil {
			return row, fmt.Errorf("encode server settings: %w", err)
		}
	}
	return row, nil
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// update is the same for a row that is there.
func update(id int64, row store.InsertServerParams) store.UpdateServerParams {
	return store.UpdateServerParams{
		ID: id, Title: row.Title, Description: row.Description, WebsiteURL: row.WebsiteURL, Release: row.Release, Tags: row.Tags,
		Transport: row.Transport, Command: row.Command, Args: row.Args, Image: row.Image, EnvSealed: row.EnvSealed, URL: row.URL,
		HeadersSealed: row.HeadersSealed, EnvSchema: row.EnvSchema, HeaderSchema: row.HeaderSchema, Reconnect: row.Reconnect,
		TimeoutMs: row.TimeoutMs, Trusted: row.Trusted, AuthProvider: row.AuthProvider, Enabled: row.Enabled, Manifest: row.Manifest,
	}
}
