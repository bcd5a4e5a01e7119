package llm

import (
	"net/http"

	"steward/internal/egress"
)

// maxBody bounds what is read of one answer. The largest recorded one has 77 KB.
const maxBody = 32 << 20

// bounded copies hc so that it follows no redirect (an API does not redirect, and the bearer token must
// not travel) and reads no more than maxBody of an answer.
func bounded(hc *http.Client) *http.Client {
	c := *hc
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	next := hc.Transport
	if next == nil {
		next = http.DefaultTransport //nolint:forbidigo // the address is the operator's, and so is the proxy of the environment
	}
	c.Transport = egress.Capped{Next: next, Most: maxBody}
	return &c
}
