package registry

import (
	"context"
	"errors"
	"slices"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"

	"steward/internal/mcpclient"
	"steward/internal/registry/input"
	"steward/internal/secret"
	"steward/internal/store"
)

// shortestSecret is what a value must have to be looked for when nothing says that it is secret: values are taken
// literally, and a variable may also hold an ordinary word.
const shortestSecret = 12

// Redactor removes the server's own secret values from what it answers.
func (r *Registry) Redactor(s *store.MCPServer) (*secret.Redactor, error) {
	o, err := r.settings(s)
	if err != nil {
		return nil, err
	}
	return secret.NewRedactor(o.guarded()...).Exact(), nil
}

// guarded are the saved values that nobody must see: those that are secret, and others that are long enough not to be
// an ordinary word.
func (o *settings) guarded() []secret.String {
	var values []secret.String
	for name, v := range o.env {
		if len(v.Reveal()) >= shortestSecret || isSecret(name, v, o.envInputs) {
			values = append(values, v)
		}
	}
	for name, v := range o.headers {
		if len(v.Reveal()) >= shortestSecret || isSecret(name, v, o.headerInput) {
			values = append(values, v)
		}
	}
	return values
}

// personal are the values that this user alone has stored for the server's inputs.
func (r *Registry) personal(ctx context.Context, owner string, s *store.MCPServer) ([]secret.String, error) {
	names := r.InputSecrets(s)
	if len(names) == 0 {
		return nil, nil
	}
	kept, err := r.secrets.For(ctx, owner, s.ID)
	if err != nil {
		return nil, err
	}
	var values []secret.String
	for _, name := range names {
		if v := kept.Values[name]; !v.IsZero() {
			values = append(values, v)
		}
	}
	return values, nil
}

// isSecret says that a saved value must not be shown: it is declared so, is named like a secret or looks like one.
func isSecret(name string, value secret.String, fields []input.Field) bool {
	return slices.ContainsFunc(fields, func(f input.Field) bool {
		return f.Name == name && (f.Secret || len(input.Secrets([]input.Field{f})) > 0)
	}) ||
		secret.Named(name) || looksSecret.Text(value.Reveal()) != value.Reveal()
}

// looksSecret knows what credentials look like.
var looksSecret = secret.NewRedactor()

// withoutSecrets is a server's list as it may be stored and shown to the model: a careless server prints
// its configuration, or what its user has stored, into a description.
func (r *Registry) withoutSecrets(ctx context.Context, owner string, s *store.MCPServer, token secret.String, tools []mcpclient.Tool) ([]mcpclient.Tool, error) {
	o, err := r.settings(s)
	if err != nil {
		return nil, err
	}
	own, err := r.personal(ctx, owner, s)
	if err != nil {
		return nil, err
	}
	values := slices.Concat(o.guarded(), own, []secret.String{token})
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

// withoutPersonal removes what the user has stored from what the server answered.
func (r *Registry) withoutPersonal(ctx context.Context, owner string, s *store.MCPServer, result *mcpclient.Result, failed error) error {
	values, err := r.personal(ctx, owner, s)
	if err != nil || len(values) == 0 {
		return err
	}
	redactor := secret.NewRedactor(values...).Exact()
	if wire, ok := errors.AsType[*jsonrpc.Error](failed); ok {
		wire.Message = redactor.Text(wire.Message)
	}
	if e, ok := errors.AsType[*mcpclient.Error](failed); ok {
		for i, line := range e.Stderr {
			e.Stderr[i] = redactor.Text(line)
		}
	}
	if result == nil {
		return nil
	}
	result.Content = redactor.JSON(result.Content)
	if len(result.Structured) > 0 {
		result.Structured = redactor.JSON(result.Structured)
	}
	return nil
}
