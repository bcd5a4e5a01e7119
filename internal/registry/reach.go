package registry

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"steward/internal/egress"
	"steward/internal/fault"
	"steward/internal/mcpclient"
	"steward/internal/oauth"
	"steward/internal/oauth/remote"
	"steward/internal/store"
)

// reach runs do on the server. When the server does not take the owner's token, which means that it did nothing,
// the token is renewed and do runs once more. When it wants one of which nothing was known, or one that says more,
// the error is an *oauth.ConsentError: a person has to see to it, and then do may run again. A server at an address that
// is not for owner to reach is a Forbidden fault with CodeEgressDenied around the error of do. A *mcpclient.Error holds
// no secret any more, and may be logged.
func (r *Registry) reach(ctx context.Context, owner string, s *store.MCPServer, do func(aim) error) error {
	t, err := r.target(ctx, owner, s)
	if err != nil {
		return err
	}
	err = t.quieted(do(t))
	switch {
	case errors.Is(err, egress.ErrDenied):
		return fault.Wrap(err, fault.Forbidden, "the address of %s is not one that may be reached from here", s.Name).WithCode(CodeEgressDenied)
	case refused(err) == nil || t.HTTP == nil:
		return err
	case t.Key.Credential == 0:
		return r.calibrate(ctx, owner, s, t, err)
	}
	if refused(err).Status == http.StatusUnauthorized {
		_, _, renewed := r.tokens.Refresh(ctx, owner, s.AuthProvider, t.Key.Credential)
		if _, over := errors.AsType[*oauth.ConsentError](renewed); over {
			return r.moved(ctx, owner, s, refused(err), renewed)
		}
		if renewed != nil {
			return renewed
		}
		if t, err = r.target(ctx, owner, s); err != nil {
			return err
		}
		err = t.quieted(do(t))
	}
	if e := refused(err); e != nil && e.Status == http.StatusUnauthorized {
		return r.moved(ctx, owner, s, e, err)
	}
	return stepUp(s, t, err)
}

// Calibrate is the first word with a server that somebody wants to use: it is asked for its tools now, of which
// Calibrate says how many there are. Unlike in a call, a refusal that says nothing of OAuth is taken for one.
// Errors are those of a call: an *oauth.ConsentError when a person must consent first.
func (r *Registry) Calibrate(ctx context.Context, owner string, s *store.MCPServer) (int, error) {
	l, err := r.list(ctx, owner, s, 0)
	if e := refused(err); e != nil && e.Status == http.StatusUnauthorized && s.AuthProvider == "" {
		return 0, r.discover(ctx, owner, s, e.Challenge)
	}
	if err != nil {
		return 0, err
	}
	_, err = r.record(ctx, s, l)
	return len(l.tools), err
}

// refused is the error of a request that a server did not take for want of authorization; nil if it is another.
func refused(err error) *mcpclient.Error {
	e, ok := errors.AsType[*mcpclient.Error](err)
	if !ok || e.Status != http.StatusUnauthorized && e.Status != http.StatusForbidden || e.Status == http.StatusUnauthorized && e.Ran != mcpclient.NotRun {
		return nil
	}
	return e
}

// calibrate finds out whose token a server wants that was called without any. A server to which somebody has given
// an Authorization of its own has refused that, and one that says nothing of OAuth may have refused something else:
// both errors stay what they are. Only connecting it by hand goes further.
func (r *Registry) calibrate(ctx context.Context, owner string, s *store.MCPServer, t aim, err error) error {
	e := refused(err)
	if e.Status != http.StatusUnauthorized || s.AuthProvider != "" || authorized(t.HTTP) || remote.ParseChallenge(e.Challenge).Metadata == "" {
		return err
	}
	return r.discover(ctx, owner, s, e.Challenge)
}

// discover finds out who gives tokens for a server that has refused a request with that challenge. The error is an
// *oauth.ConsentError when that is known, and a fault when it cannot be found out.
func (r *Registry) discover(ctx context.Context, owner string, s *store.MCPServer, challenge []string) error {
	a, err := r.tokens.Calibrate(ctx, oauth.Resource{Owner: owner, Server: s.ID, URL: s.URL, Challenge: challenge})
	if err != nil {
		return err
	}
	return &oauth.ConsentError{Provider: a.Provider, Reason: s.Name + " is not connected"}
}

// moved looks whether a server that takes no token of its authority has another one by now: its challenge is the last
// word about that. If so, a person must consent there; if not, the error is err.
func (r *Registry) moved(ctx context.Context, owner string, s *store.MCPServer, e *mcpclient.Error, err error) error {
	if s.AuthProvider != oauth.Server(s.ID) {
		return err
	}
	if _, failed := r.tokens.Calibrate(ctx, oauth.Resource{Owner: owner, Server: s.ID, URL: s.URL, Challenge: e.Challenge}); failed != nil {
		r.log.WarnContext(ctx, "authority of a server not read anew", "server", s.ID, "error", failed)
		return err
	}
	need, ok := errors.AsType[*oauth.ConsentError](r.Ready(ctx, owner, s))
	if ok {
		return need
	}
	return err
}

// stepUp turns the answer that a scope is missing (RFC 6750 §3.1) into an *oauth.ConsentError.
func stepUp(s *store.MCPServer, t aim, err error) error {
	e := refused(err)
	if e == nil || e.Status != http.StatusForbidden {
		return err
	}
	c := remote.ParseChallenge(e.Challenge)
	if !c.Insufficient() && len(c.Scopes) == 0 { // servers of go-sdk name the scopes and no error
		return err
	}
	return &oauth.ConsentError{
		Provider: s.AuthProvider, Scopes: c.Scopes, Version: t.Key.Credential, Reason: s.Name + " was not granted what this needs",
	}
}

// authorized says whether a request brings an Authorization that somebody has set for the server.
func authorized(h *mcpclient.HTTP) bool {
	for name := range h.Header {
		if isAuthorization(name) {
			return true
		}
	}
	return false
}

func isAuthorization(header string) bool { return strings.EqualFold(header, "Authorization") }
