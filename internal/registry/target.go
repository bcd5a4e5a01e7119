package registry

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"steward/internal/mcpclient"
	"steward/internal/secret"
	"steward/internal/store"
)

// key names the pool slot: a session belongs to one user, one server and one version of its settings.
func key(owner string, s *store.MCPServer) mcpclient.Key {
	return mcpclient.Key{Owner: owner, Server: s.ID, Version: s.Version}
}

func (r *Registry) target(owner string, s *store.MCPServer) (mcpclient.Target, error) {
	t := mcpclient.Target{Key: key(owner, s), Name: s.Name, Era: mcpclient.Era(s.Era)}
	switch s.Transport {
	case "stdio":
		env, err := r.open(s.EnvSealed, envBinding(s.Owner, s.Name))
		if err != nil {
			return t, err
		}
		t.Stdio = &mcpclient.Stdio{Command: s.Command, Args: s.Args, Env: env}
	case "http":
		header, err := r.open(s.HeadersSealed, headersBinding(s.Owner, s.Name))
		if err != nil {
			return t, err
		}
		t.HTTP = &mcpclient.HTTP{URL: s.URL, Header: header, Client: r.client}
	default:
		return t, fmt.Errorf("server %s: transport %q is not served", strconv.FormatInt(s.ID, 10), s.Transport)
	}
	return t, nil
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

// ownerOf names the admins' servers, which have no owner in their row.
func ownerOf(owner *string) string {
	if owner == nil {
		return "(admin)"
	}
	return *owner
}

// Redactor removes the server's own secret values from what it answers.
func (r *Registry) Redactor(s *store.MCPServer) (*secret.Redactor, error) {
	env, err := r.open(s.EnvSealed, envBinding(s.Owner, s.Name))
	if err != nil {
		return nil, err
	}
	headers, err := r.open(s.HeadersSealed, headersBinding(s.Owner, s.Name))
	if err != nil {
		return nil, err
	}
	values := slices.AppendSeq(slices.Collect(maps.Values(env)), maps.Values(headers))
	return secret.NewRedactor(values...).Exact(), nil
}
