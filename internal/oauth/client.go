package oauth

import (
	"errors"
	"io"
	"net/http"

	"steward/internal/fault"
	"steward/internal/secret"
)

// Client returns an HTTP client for the provider's APIs. It adds owner's token to requests to the provider's
// own hosts over https (to an emulator, to its one address) and refuses all others; it follows no redirect,
// and whatever Authorization a request brings along is replaced. On 401, or what the provider says in its place, the token is renewed and the request
// repeated, once, if its body can be read again (http.Request.GetBody). Errors of Do hold a *ConsentError when
// a person must consent first, also when the provider says that a scope is missing. An error that holds a
// *ConsentError or a *fault.Error means that the request has had no effect; any other may have had it.
func (s *Service) Client(owner, provider string) *http.Client {
	return &http.Client{
		Transport:     bearer{service: s, owner: owner, provider: provider},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// bearer is the transport of one owner's client.
type bearer struct {
	service         *Service
	owner, provider string
}

// RoundTrip implements http.RoundTripper.
func (b bearer) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := b.roundTrip(req)
	if err != nil && req.Body != nil {
		_ = req.Body.Close() // a RoundTripper closes it, and twice does no harm
	}
	return res, err
}

func (b bearer) roundTrip(req *http.Request) (*http.Response, error) {
	a, err := b.service.named(b.provider)
	if err != nil {
		return nil, err
	}
	if !a.accepts(req.URL) {
		return nil, fault.New(fault.Forbidden, "the access to %s is for %s alone", a.title(), a.title()).WithCode(CodeHostRefused)
	}
	token, version, err := b.service.Token(req.Context(), b.owner, b.provider)
	if err != nil {
		return nil, kept(err)
	}
	res, err := b.send(req, req.Body, token)
	if err != nil || !a.stale(res) || !repeatable(req) {
		return b.judge(a, res, version, err)
	}
	discard(res)
	if token, version, err = b.service.Refresh(req.Context(), b.owner, b.provider, version); err != nil {
		return nil, kept(err)
	}
	body := req.Body
	if req.GetBody != nil {
		if body, err = req.GetBody(); err != nil {
			return nil, kept(err)
		}
	}
	res, err = b.send(req, body, token)
	return b.judge(a, res, version, err)
}

// kept is the error of a request that was kept back, or refused before it did anything.
func kept(err error) error {
	_, consent := errors.AsType[*ConsentError](err)
	if _, told := errors.AsType[*fault.Error](err); consent || told {
		return err
	}
	return fault.Wrap(err, fault.Unavailable, "the access cannot be looked up at the moment")
}

// send sends a copy: a RoundTripper leaves the request as it is.
func (b bearer) send(req *http.Request, body io.ReadCloser, token secret.String) (*http.Response, error) {
	own := req.Clone(req.Context())
	own.Body, own.Host = body, "" // the URL's, which was looked at
	own.Header.Set("Authorization", "Bearer "+token.Reveal())
	return b.service.transport.RoundTrip(own)
}

func repeatable(req *http.Request) bool {
	return req.Body == nil || req.Body == http.NoBody || req.GetBody != nil
}

// discard reads a short answer to its end, so that its connection can be used again.
func discard(res *http.Response) {
	_, _ = io.CopyN(io.Discard, res.Body, 64<<10)
	_ = res.Body.Close()
}
