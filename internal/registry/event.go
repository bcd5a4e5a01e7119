package registry

import (
	"crypto/rand"
	"fmt"
	"maps"
	"slices"

	"steward/internal/audit"
	"steward/internal/auth"
	"steward/internal/secret"
	"steward/internal/store"
)

// serverBody is what the audit log says of a server: how it is reached, and of values their names alone.
type serverBody struct {
	Server    int64    `json:"server"`
	Name      string   `json:"name"`
	Version   int64    `json:"version"`
	Owner     string   `json:"owner,omitempty"` // empty: an admin's, for everybody
	Transport string   `json:"transport"`
	Command   string   `json:"command,omitempty"`
	Args      []string `json:"args,omitempty"`
	Image     string   `json:"image,omitempty"`
	Env       []string `json:"env,omitempty"`
	URL       string   `json:"url,omitempty"`
	Headers   []string `json:"headers,omitempty"`
	Trusted   bool     `json:"trusted"`
	Enabled   bool     `json:"enabled"`
	Forgotten *forgot  `json:"forgotten,omitempty"`
}

// forgot counts what was saved for the address that a server had.
type forgot struct {
	Headers     int   `json:"headers"`
	Credentials int64 `json:"credentials"`
	Secrets     int64 `json:"secrets"`
}

// eventOf is a fact about a server as it is now.
func (r *Registry) eventOf(kind string, p auth.Principal, row *store.MCPServer, lost *forgot) (audit.Event, error) {
	o, err := r.settings(row)
	if err != nil {
		return audit.Event{}, err
	}
	redactor := secret.NewRedactor(o.secrets()...)
	args := make([]string, len(row.Args))
	for i, arg := range row.Args {
		args[i] = redactor.Text(arg)
	}
	body := serverBody{
		Server: row.ID, Name: row.Name, Version: row.Version, Transport: row.Transport, Command: row.Command, Args: args, Image: row.Image,
		Env: slices.Sorted(maps.Keys(o.env)), URL: redactor.Text(row.URL), Headers: slices.Sorted(maps.Keys(o.headers)),
		Trusted: row.Trusted, Enabled: row.Enabled, Forgotten: lost,
	}
	if row.Owner != nil {
		body.Owner = *row.Owner
	}
	return audit.Event{Chain: chainOf(row), Key: fmt.Sprintf("server/%d/%s/%s", row.ID, kind, rand.Text()), Kind: kind, Actor: p.Actor, Body: body}, nil
}
