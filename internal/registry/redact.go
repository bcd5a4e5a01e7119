package registry

import (
	"slices"

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

// isSecret says that a saved value must not be shown: it is declared so, is named like a secret or looks like one.
func isSecret(name string, value secret.String, fields []input.Field) bool {
	return slices.ContainsFunc(fields, func(f input.Field) bool {
		return f.Name == name && (f.Secret || len(input.Secrets([]input.Field{f})) > 0)
	}) ||
		secret.Named(name) || looksSecret.Text(value.Reveal()) != value.Reveal()
}

// looksSecret knows what credentials look like.
var looksSecret = secret.NewRedactor()

// withoutSecrets is a server's list as it may be stored and shown to the model, and to other users: a careless server
// prints its configuration, or what its user has stored, into a description.
func (a aim) withoutSecrets(tools []mcpclient.Tool) []mcpclient.Tool {
	values := a.secrets()
	if len(values) == 0 {
		return tools
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
	return clean
}
