package registry

import (
	"context"
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

func (r *Registry) target(ctx context.Context, owner string, s *store.MCPServer) (mcpclient.Target, error) {
	t := mcpclient.Target{Key: key(owner, s), Name: s.Name, Era: mcpclient.Era(s.Era)}
	switch s.Transport {
	case "stdio":
		env, err := r.open(s.EnvSealed, envBinding(s.Owner, s.Name))
		if err != nil {
			return t, err
		}
		t.Stdio = &mcpclient.Stdio{Command: s.Command, Args: s.Args, Env: env}
	case "http":
		a, err := r.access(ctx, owner, s)
		if err != nil {
			return t, err
		}
		t.Key.Credential = a.Credential
		t.HTTP = &mcpclient.HTTP{URL: s.URL, Header: a.header(), Client: r.client}
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
	values, err := r.secrets(s)
	if err != nil {
		return nil, err
	}
	return secret.NewRedactor(values...).Exact(), nil
}

// secrets are the values of the server's environment and headers.
func (r *Registry) secrets(s *store.MCPServer) ([]secret.String, error) {
	env, err := r.open(s.EnvSealed, envBinding(s.Owner, s.Name))
	if err != nil {
		return nil, err
	}
	headers, err := r.open(s.HeadersSealed, headersBinding(s.Owner, s.Name))
	if err != nil {
		return nil, err
	}
	return slices.AppendSeq(slices.Collect(maps.Values(env)), maps.Values(headers)), nil
}

// shortestSecret is what a value must have to be looked for in tool definitions: they are taken literally,
// and a variable may also hold an ordinary word.
const shortestSecret = 12

// withoutSecrets is a server's list as it may be stored and shown to the model: a careless server prints
// its configuration into a description.
func (r *Registry) withoutSecrets(s *store.MCPServer, token secret.String, tools []mcpclient.Tool) ([]mcpclient.Tool, error) {
	values, err := r.secrets(s)
	if err != nil {
		return nil, err
	}
	values = append(values, token)
	values = slices.DeleteFunc(values, func(v secret.String) bool { return len(v.Reveal()) < shortestSecret })
	if len(values) == 0 {
		return tools, nil
	}
	redactor := secret.NewRedactor(values...).Exact()
	clean := slices.Clone(tools) // the list is shared with the pool's cache
	for i, t := range clean {
		t.Title, t.Description = redactor.Text(t.Title), redactor.Text(t.Description)
		t.Definition = redactor.JSON(t.Definition)
		if len(t.InputSchema) > 0 {
			t.InputSchema = redactor.JSON(t.InputSchema)
		}
		if len(t.OutputSchema) > 0 {
			t.OutputSchema = redactor.JSON(t.OutputSchema)
		}
		clean[i] = t
	}
	return clean, nil
}
