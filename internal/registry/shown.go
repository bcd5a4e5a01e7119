package registry

import (
	"steward/internal/registry/input"
	"steward/internal/secret"
	"steward/internal/store"
)

// refPrefix begins what stands for a saved value where it is read: secret_ref:<server>:<name>.
const refPrefix = "secret_ref:"

func refTo(server, name string) string { return refPrefix + server + ":" + name }

// Shown is what people with the right to may read of a server's settings. A value that is secret, because it is
// declared so or looks like it, is a reference; given back in a Patch, the reference keeps the value.
type Shown struct {
	Env, Headers            map[string]string
	EnvSchema, HeaderSchema []input.Field
	Reconnect               Reconnect
}

// Show opens what may be shown of a server's settings.
func (r *Registry) Show(s *store.MCPServer) (Shown, error) {
	o, err := r.settings(s)
	if err != nil {
		return Shown{}, err
	}
	return Shown{
		Env: shown(s.Name, o.env, o.envInputs), Headers: shown(s.Name, o.headers, o.headerInput),
		EnvSchema: orEmpty(o.envInputs), HeaderSchema: orEmpty(o.headerInput), Reconnect: o.timing,
	}, nil
}

func shown(server string, values map[string]secret.String, fields []input.Field) map[string]string {
	out := make(map[string]string, len(values))
	for name, v := range values {
		if out[name] = v.Reveal(); isSecret(name, v, fields) {
			out[name] = refTo(server, name)
		}
	}
	return out
}

// kept is what a patch makes of saved values: all others are replaced, those referred to stay.
func kept(server string, saved map[string]secret.String, given *map[string]secret.String) map[string]secret.String {
	if given == nil {
		return saved
	}
	values := make(map[string]secret.String, len(*given))
	for name, v := range *given {
		if old, ok := saved[name]; ok && v.Reveal() == refTo(server, name) {
			v = old
		}
		values[name] = v
	}
	return values
}
