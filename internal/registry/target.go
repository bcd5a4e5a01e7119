package registry

import (
	"context"
	"errors"
	"maps"
	"strconv"
	"strings"
	"time"

	"steward/internal/fault"
	"steward/internal/mcpclient"
	"steward/internal/registry/input"
	"steward/internal/secret"
	"steward/internal/store"
	"steward/internal/vault"
)

// Codes of the faults that say why a server cannot be reached at all.
const (
	CodeServerDisabled = "server_disabled"
	CodeSecretMissing  = "secret_missing"
)

// key names the pool slot: a session belongs to one user, one server and one version of its settings.
func key(owner string, s *store.MCPServer) mcpclient.Key {
	return mcpclient.Key{Owner: owner, Server: s.ID, Version: s.Version}
}

func (r *Registry) target(ctx context.Context, owner string, s *store.MCPServer) (aim, error) {
	t := aim{Target: mcpclient.Target{
		Key: key(owner, s), Name: s.Name, Era: mcpclient.Era(s.Era), Wire: mcpclient.Wire(s.Wire),
		Timeout: time.Duration(s.TimeoutMs) * time.Millisecond,
	}}
	if !s.Enabled {
		return t, fault.New(fault.Conflict, "the server %s is disabled", s.Name).WithCode(CodeServerDisabled)
	}
	o, err := r.settings(s)
	if err != nil {
		return t, err
	}
	t.saved = o
	switch s.Transport {
	case transportStdio:
		env, err := r.filled(ctx, &t, s, o.env, o.envInputs)
		if err != nil {
			return t, err
		}
		t.Stdio = r.child(t.Key, s.Command, s.Args, o.env, env)
	case transportHTTP:
		a, err := r.access(ctx, owner, s)
		if err != nil {
			return t, err
		}
		if a.Headers, err = r.filled(ctx, &t, s, a.Headers, o.headerInput); err != nil {
			return t, err
		}
		if !a.Bearer.IsZero() {
			t.own = append(t.own, a.Bearer)
		}
		t.Key.Credential = a.Credential
		t.HTTP = &mcpclient.HTTP{URL: s.URL, Header: a.header(), Client: r.exits.Of(owner).Patient(), Reconnect: o.timing.pace()}
	default:
		return t, fault.New(fault.Internal, "server %s: transport %q is not served", strconv.FormatInt(s.ID, 10), s.Transport)
	}
	return t, nil
}

// filled adds to what is saved for a server what the user of the aim has stored for its inputs, and notes there what
// that is and which version of it. The values go into the user's own session and nowhere else.
func (r *Registry) filled(ctx context.Context, t *aim, s *store.MCPServer, saved map[string]secret.String, fields []input.Field) (map[string]secret.String, error) {
	if len(fields) == 0 {
		return saved, nil
	}
	owner, own := t.Key.Owner, input.Secrets(fields)
	var kept vault.Kept
	if len(own) > 0 {
		var err error
		if kept, err = r.secrets.For(ctx, owner, s.ID); err != nil {
			return nil, err
		}
	}
	t.Key.Secrets = kept.Version
	var used []string
	secretName := map[string]bool{}
	for _, name := range own {
		secretName[name] = true
		if v := kept.Values[name]; !v.IsZero() {
			t.own = append(t.own, v)
		}
	}
	values, err := input.Fill(fields, func(name string) secret.String {
		if v := kept.Values[name]; secretName[name] && !v.IsZero() {
			used = append(used, name)
			return v
		}
		return saved[name]
	})
	if err != nil {
		return nil, needs(s, err)
	}
	if len(used) > 0 {
		r.secrets.Used(owner, s.ID, used...)
	}
	all := maps.Clone(saved)
	if all == nil {
		return values, nil
	}
	maps.Copy(all, values)
	return all, nil
}

// needs says to the user what to do about an input.
func needs(s *store.MCPServer, err error) error {
	if missing, ok := errors.AsType[*input.MissingError](err); ok {
		return fault.Wrap(err, fault.Conflict, "the server %s needs %s: store it with POST /secrets/set", s.Name, strings.Join(missing.Names, " and ")).WithCode(CodeSecretMissing)
	}
	if unfit, ok := errors.AsType[*input.UnfitError](err); ok {
		return fault.Wrap(err, fault.Conflict, "what is stored for the server %s does not fit: %s", s.Name, unfit).WithCode(CodeSecretMissing)
	}
	return err
}

// InputSecrets are the names that a user may store for the server: they go into that user's session.
func (r *Registry) InputSecrets(s *store.MCPServer) []string {
	o, err := r.settings(s)
	if err != nil {
		return nil // who cannot be read takes nothing
	}
	if s.Transport == transportStdio {
		return input.Secrets(o.envInputs)
	}
	return input.Secrets(o.headerInput)
}
