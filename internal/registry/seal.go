package registry

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"

	"steward/internal/registry/input"
	"steward/internal/secret"
	"steward/internal/store"
)

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

func (r *Registry) open(token []byte, b secret.Binding) (map[string]secret.String, error) {
	if len(token) == 0 {
		return nil, nil
	}
	plain, err := r.ring.Open(b, token)
	if err != nil {
		return nil, err
	}
	var values map[string]string
	if err := json.Unmarshal(plain, &values); err != nil {
		return nil, fmt.Errorf("sealed settings of a server are not an object: %w", err)
	}
	out := make(map[string]secret.String, len(values))
	for name, v := range values {
		out[name] = secret.New(v)
	}
	return out, nil
}

func envBinding(owner *string, name string) secret.Binding {
	return secret.Binding{Owner: ownerOf(owner), Purpose: "server.env", Ref: name}
}

func headersBinding(owner *string, name string) secret.Binding {
	return secret.Binding{Owner: ownerOf(owner), Purpose: "server.headers", Ref: name}
}

func sessionBinding(owner string, server int64) secret.Binding {
	return secret.Binding{Owner: owner, Purpose: "server.session", Ref: strconv.FormatInt(server, 10)}
}

// ownerOf names the admins' servers, which have no owner in their row.
func ownerOf(owner *string) string {
	if owner == nil {
		return "(admin)"
	}
	return *owner
}

// opened keeps what was unsealed and parsed of rows: every call of a tool needs it.
type opened struct {
	mu   sync.Mutex
	rows map[int64]*settings
}

// settings are what a row holds sealed and as JSON. They are shared: do not change them.
type settings struct {
	envSealed, headersSealed, envSchema, headerSchema []byte

	env, headers           map[string]secret.String
	envInputs, headerInput []input.Field
	timing                 Reconnect
}

func (o *settings) of(s *store.MCPServer) bool {
	return bytes.Equal(o.envSealed, s.EnvSealed) && bytes.Equal(o.headersSealed, s.HeadersSealed) &&
		bytes.Equal(o.envSchema, s.EnvSchema) && bytes.Equal(o.headerSchema, s.HeaderSchema)
}

// secrets are the values that nobody must see.
func (o *settings) secrets() []secret.String {
	return slices.AppendSeq(slices.Collect(maps.Values(o.env)), maps.Values(o.headers))
}

func (r *Registry) settings(s *store.MCPServer) (*settings, error) {
	r.opened.mu.Lock()
	known := r.opened.rows[s.ID]
	r.opened.mu.Unlock()
	if known != nil && known.of(s) {
		return known, nil
	}
	o := &settings{envSealed: s.EnvSealed, headersSealed: s.HeadersSealed, envSchema: s.EnvSchema, headerSchema: s.HeaderSchema}
	var err error
	if o.env, err = r.open(s.EnvSealed, envBinding(s.Owner, s.Name)); err != nil {
		return nil, err
	}
	if o.headers, err = r.open(s.HeadersSealed, headersBinding(s.Owner, s.Name)); err != nil {
		return nil, err
	}
	if o.envInputs, err = input.Parse(s.EnvSchema); err != nil {
		return nil, fmt.Errorf("environment schema of server %d: %w", s.ID, err)
	}
	if o.headerInput, err = input.Parse(s.HeaderSchema); err != nil {
		return nil, fmt.Errorf("header schema of server %d: %w", s.ID, err)
	}
	if len(s.Reconnect) > 0 {
		if err := json.Unmarshal(s.Reconnect, &o.timing); err != nil {
			return nil, fmt.Errorf("reconnection options of server %d: %w", s.ID, err)
		}
	}
	r.opened.mu.Lock()
	defer r.opened.mu.Unlock()
	if r.opened.rows == nil || len(r.opened.rows) >= mostKept {
		r.opened.rows = map[int64]*settings{}
	}
	r.opened.rows[s.ID] = o
	return o, nil
}
