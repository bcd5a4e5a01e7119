package tool

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"steward/internal/registry"
	"steward/internal/secret"
	"steward/internal/store"
	"steward/internal/vault"
)

// Vault is what users store for the servers that they call.
type Vault interface {
	For(ctx context.Context, owner string, server int64) (vault.Kept, error)
	Used(owner string, server int64, names ...string)
}

// injector puts owners' secrets into calls right before they are sent, and takes them out of what comes back.
type injector struct {
	reg    *registry.Registry
	vault  Vault
	tokens registry.Tokens
	during time.Duration // of a call, at most

	redactors recent[redactorKey, scrubber]
}

// injection is what leaves for a server, and what must not come back from it.
type injection struct {
	arguments json.RawMessage
	scrub     scrubber
	missing   []SecretParameter // required, and not to be had
}

// prepare puts the owner's values into the declared secret parameters of a call, and into no others. A value that the
// caller gave stays. A value is found by the parameter's name, else by that name in capitals: API_KEY for apiKey.
func (i *injector) prepare(ctx context.Context, owner string, s *store.MCPServer, t Tool, arguments json.RawMessage) (injection, error) {
	kept, err := i.kept(ctx, owner, s)
	if err != nil {
		return injection{}, err
	}
	out := injection{arguments: arguments}
	if out.scrub, err = i.scrubberOf(ctx, owner, s, kept); err != nil {
		return injection{}, err
	}
	if len(t.Secrets) == 0 {
		return out, nil
	}
	var hidden []secret.String // of this call alone
	object, err := membersOf(arguments)
	if err != nil {
		return injection{}, err
	}
	var given token
	var used []string
	for _, p := range t.Secrets {
		if own, ok := object.at(p.Path); ok {
			hidden = append(hidden, textOf(own))
			continue
		}
		if p.Token {
			if given.access.IsZero() {
				if given, err = i.tokenFor(ctx, owner, s); err != nil {
					return injection{}, err
				}
				hidden = append(hidden, given.access)
			}
			object.put(p, given.as(p))
			continue
		}
		name, found := match(kept.Values, p)
		switch {
		case found && object.put(p, quoted(kept.Values[name])):
			used = append(used, name)
		case p.Required && object.has(p.Path[:len(p.Path)-1]):
			out.missing = append(out.missing, p)
		}
	}
	if len(used) > 0 {
		i.vault.Used(owner, s.ID, used...)
	}
	if len(hidden) > 0 {
		out.scrub = append(slices.Clip(out.scrub), secret.NewRedactor(hidden...).Exact())
	}
	if out.arguments, err = object.encode(); err != nil {
		return injection{}, err
	}
	return out, nil
}

// known is what must not come back from a server that is asked about an earlier call.
func (i *injector) known(ctx context.Context, owner string, s *store.MCPServer, t Tool) (scrubber, error) {
	kept, err := i.kept(ctx, owner, s)
	if err != nil {
		return nil, err
	}
	scrub, err := i.scrubberOf(ctx, owner, s, kept)
	if err != nil || !slices.ContainsFunc(t.Secrets, func(p SecretParameter) bool { return p.Token }) {
		return scrub, err
	}
	given, err := i.tokenFor(ctx, owner, s)
	if err != nil { // whose consent has ended has no token that could be told
		return scrub, nil //nolint:nilerr // see above
	}
	return append(slices.Clip(scrub), secret.NewRedactor(given.access).Exact()), nil
}

func (i *injector) kept(ctx context.Context, owner string, s *store.MCPServer) (vault.Kept, error) {
	if i.vault == nil {
		return vault.Kept{}, nil
	}
	return i.vault.For(ctx, owner, s.ID)
}

// match finds the stored value for a parameter.
func match(values map[string]secret.String, p SecretParameter) (string, bool) {
	name := p.Path[len(p.Path)-1]
	for _, candidate := range []string{name, capitals(name)} {
		if _, ok := values[candidate]; ok {
			return candidate, true
		}
	}
	return "", false
}

// capitals is a name as environment variables have it: API_KEY for apiKey, api-key and api_key.
func capitals(name string) string {
	var out strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			out.WriteByte('_')
			continue
		}
		begins := i > 0 && unicode.IsUpper(r) && (unicode.IsLower(runes[i-1]) || unicode.IsDigit(runes[i-1]) ||
			unicode.IsUpper(runes[i-1]) && i+1 < len(runes) && unicode.IsLower(runes[i+1]))
		if begins {
			out.WriteByte('_')
		}
		out.WriteRune(unicode.ToUpper(r))
	}
	return out.String()
}

// as is the token in the form that the parameter takes.
func (t token) as(p SecretParameter) json.RawMessage {
	if p.Object {
		return t.object
	}
	return quoted(t.access)
}

func quoted(s secret.String) json.RawMessage {
	doc, err := json.Marshal(s.Reveal())
	if err != nil { // a string always has a JSON form
		return json.RawMessage(`""`)
	}
	return doc
}

// textOf is a value that the caller gave, to be looked for in what comes back.
func textOf(raw json.RawMessage) secret.String {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return secret.New(text)
	}
	return secret.New(string(raw))
}

// lacking says which secrets a call still needs, in words for whoever could store them.
func lacking(p SecretParameter) string {
	name := p.Path[len(p.Path)-1]
	if p.Token {
		return "the owner's access token is not there"
	}
	return fmt.Sprintf("is required and secret: store it for this server as %s (POST /secrets/set)", either(name, capitals(name)))
}

func either(a, b string) string {
	if a == b {
		return a
	}
	return a + " or " + b
}
