package api

import (
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"steward/internal/auth"
	"steward/internal/fault"
)

// gate lets an operation begin: it authenticates, counts, and checks the scope that the operation names.
type gate struct {
	authenticator *auth.Authenticator
	door          *codecDoor
	limits        *limiter
	metadata      string // URL of the protected resource metadata (RFC 9728 §5.1)
}

type principalKey struct{}

// pass is Huma middleware, so its errors are written by the same hook as those of handlers. It comes
// before any byte of the input is validated: who may not call learns nothing about what is valid.
func (g *gate) pass(api huma.API) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		a, _ := ctx.Operation().Metadata[accessKey].(access)
		r, w := humachi.Unwrap(ctx)
		if a.open {
			if err := g.greet(w, r, ctx.Operation(), a); err != nil {
				_ = huma.WriteErr(api, ctx, http.StatusInternalServerError, "", err) // fails only if the caller has gone
				return
			}
			next(ctx)
			return
		}
		p, err := g.admit(w, r, a)
		if err != nil {
			if challenge := challengeOf(err, g.metadata, a.scope); challenge != "" {
				ctx.SetHeader("WWW-Authenticate", challenge)
			}
			_ = huma.WriteErr(api, ctx, http.StatusInternalServerError, "", err) // fails only if the caller has gone
			return
		}
		next(huma.WithValue(ctx, principalKey{}, p))
	}
}

// greet counts who signs in. HEAD is for looking, and whoever follows a link without a person behind it, such as a
// scanner of mails, does no more than that.
func (g *gate) greet(w http.ResponseWriter, r *http.Request, op *huma.Operation, a access) error {
	if !a.signIn {
		return nil
	}
	if r.Method == http.MethodHead {
		w.Header().Set("Allow", http.MethodGet)
		return newProblem(http.StatusMethodNotAllowed, "", "the path exists, the method does not")
	}
	return take(g.limits.login, w, r, op.OperationID+" "+clientIP(r))
}

func (g *gate) admit(w http.ResponseWriter, r *http.Request, a access) (auth.Principal, error) {
	p, err := g.authenticate(r, a)
	if err = g.recognize(w, r, p, err); err != nil {
		return p, err
	}
	counter := g.limits.read
	switch {
	case p.Kind == auth.APIKey:
		counter = g.limits.apiKey
	case a.calls:
		counter = g.limits.calls
	case a.creates:
		counter = g.limits.create
	}
	if err := take(counter, w, r, p.Actor); err != nil {
		return p, err
	}
	if a.scope == "" {
		return p, nil
	}
	return p, p.Require(a.scope)
}

// recognize counts who failed to sign in, and takes note for the log of who did.
func (g *gate) recognize(w http.ResponseWriter, r *http.Request, p auth.Principal, err error) error {
	if fault.Is(err, fault.Unauthorized) {
		if limited := take(g.limits.failed, w, r, clientIP(r)); limited != nil {
			return limited
		}
	}
	if err != nil {
		return err
	}
	req := requestOf(r.Context())
	req.owner, req.actor = p.Owner, p.Actor
	return nil
}

// authenticate tries the codec's cookie only where it is meant for and nothing better came along.
func (g *gate) authenticate(r *http.Request, a access) (auth.Principal, error) {
	authorization, key := r.Header.Get("Authorization"), r.Header.Get("X-API-Key")
	if a.cookie && authorization == "" && key == "" {
		if p, ok := g.door.session(r); ok {
			return p, nil
		}
	}
	in := inQuery
	switch {
	case key != "" && a.form:
		in = inForm
	case key != "":
		in = inBody
	}
	owner, err := named(r, in)
	if err != nil {
		return auth.Principal{}, err
	}
	return g.authenticator.Authenticate(r.Context(), authorization, key, owner)
}

// challengeOf says how to do better (RFC 6750 §3), or nothing where no credential would help.
func challengeOf(err error, metadata string, scope auth.Scope) string {
	scheme := fmt.Sprintf(`Bearer realm="steward", resource_metadata=%q`, metadata)
	switch {
	case fault.CodeOf(err) == auth.CodeInsufficientScope:
		return fmt.Sprintf(`%s, error="insufficient_scope", scope=%q`, scheme, scope)
	case fault.CodeOf(err) == auth.CodeUnauthenticated:
		return scheme
	case fault.Is(err, fault.Unauthorized):
		return scheme + `, error="invalid_token"`
	}
	return ""
}
