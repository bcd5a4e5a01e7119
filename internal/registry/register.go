package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"steward/internal/mcpclient"
	"steward/internal/secret"
	"steward/internal/store"
)

// Server is what an admin registers. Env and Headers are sealed before they are stored.
type Server struct {
	ID          int64 // fixed by the caller: the development stack promises that the mailbox is 1
	Name        string
	Description string
	Transport   string // stdio or http
	Command     string
	Args        []string
	Env         map[string]secret.String
	URL         string
	Headers     map[string]secret.String
	Trusted     bool // its annotations and probes are believed
	// AuthProvider names the OAuth provider whose credential each caller brings, such as "google"; empty: none.
	AuthProvider string
}

// Register stores an admin's server under its id, replacing what was there.
func Register(ctx context.Context, q *store.Queries, ring *secret.Ring, s Server) error {
	env, err := seal(ring, envBinding(nil, s.Name), s.Env)
	if err != nil {
		return err
	}
	headers, err := seal(ring, headersBinding(nil, s.Name), s.Headers)
	if err != nil {
		return err
	}
	args := s.Args
	if args == nil {
		args = []string{}
	}
	_, err = q.PutServer(ctx, store.PutServerParams{
		ID: s.ID, Name: s.Name, Description: s.Description, Transport: s.Transport, Command: s.Command, Args: args,
		EnvSealed: env, URL: s.URL, HeadersSealed: headers, Trusted: s.Trusted, AuthProvider: s.AuthProvider,
	})
	if err != nil {
		return fmt.Errorf("register server %s: %w", s.Name, err)
	}
	if err := q.SkipServerIDs(ctx); err != nil {
		return fmt.Errorf("skip server ids: %w", err)
	}
	return nil
}

func seal(ring *secret.Ring, b secret.Binding, values map[string]secret.String) ([]byte, error) {
	if len(values) == 0 {
		return nil, nil
	}
	plain := make(map[string]string, len(values))
	for name, v := range values {
		plain[name] = v.Reveal()
	}
	doc, err := json.Marshal(plain)
	if err != nil {
		return nil, fmt.Errorf("encode server settings: %w", err)
	}
	return ring.Seal(b, doc)
}

// record keeps the tool list as last seen, so that people can read it while the server is away. An
// unchanged list, which is what the pool's cache answers with, writes nothing.
func (r *Registry) record(ctx context.Context, server int64, tools []mcpclient.Tool) error {
	names, pins := make([]string, len(tools)), make([]string, len(tools))
	for i, t := range tools {
		pin, err := Pin(t.Definition)
		if err != nil {
			return fmt.Errorf("tool %d of server %d: %w", i, server, err)
		}
		names[i], pins[i] = t.Name, pin
	}
	list := strings.Join(pins, " ")
	if last, ok := r.recorded.Load(server); ok && last == list {
		return nil
	}
	err := r.db.Tx(ctx, func(q *store.Queries) error {
		for i, t := range tools {
			err := q.PutServerTool(ctx, store.PutServerToolParams{
				ServerID: server, Name: t.Name, Pin: pins[i], Definition: t.Definition, Position: int32(i),
			})
			if err != nil {
				return fmt.Errorf("record tool: %w", err)
			}
		}
		return q.DeleteServerTools(ctx, store.DeleteServerToolsParams{ServerID: server, Keep: names})
	})
	if err == nil {
		r.recorded.Store(server, list)
	}
	return err
}

// Pin is the digest of a whole tool definition: name, title, description, schemas, annotations, _meta.
// Anything that a server changes later shows as another pin.
func Pin(definition json.RawMessage) (string, error) {
	doc, err := secret.Canonical(definition)
	if err != nil {
		return "", fmt.Errorf("canonical tool definition: %w", err)
	}
	return secret.Digest(doc), nil
}
