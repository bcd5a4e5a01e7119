// Package remote speaks OAuth as the Model Context Protocol wants it from a client (revisions 2025-03-26 to
// 2026-07-28, basic/authorization): from a server's URL to the authorization server behind it, to a registration
// there, and to tokens. It keeps nothing: whoever calls stores what came of it, by issuer.
//
// Everything here is addressed by somebody else. Requests go through the caller's client, which decides what may
// be dialled; URLs are https, or http on this machine; secrets follow no redirect.
package remote

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"steward/internal/egress"
)

const (
	callTime     = 10 * time.Second // for one call
	maxAnswer    = 1 << 20          // bytes of its answer
	maxRedirects = 3                // of a metadata document
)

// Reasons for which a server's authorization cannot be used. Trying again does not help before somebody there has
// changed something.
var (
	// ErrMismatch: a document speaks for another resource or issuer than the one it was looked up for (RFC 9728
	// §3.3, RFC 8414 §3.3), or an answer comes from another issuer (RFC 9207 §2.4).
	ErrMismatch = errors.New("speaks for another one")
	// ErrUnsafe: an address that is neither https nor on this machine, or no address at all.
	ErrUnsafe = errors.New("neither https nor on this machine")
	// ErrIncomplete: the metadata lack what MCP demands: an authorization server, endpoints, PKCE with S256.
	ErrIncomplete = errors.New("the metadata are incomplete")
	// ErrNoRegistration: the authorization server knows no client of ours and lets none register itself.
	ErrNoRegistration = errors.New("no way to register")
)

// Client makes the calls. It is safe for concurrent use.
type Client struct {
	reading *http.Client // documents: follows redirects to addresses that are confidential too
	posting *http.Client // secrets: follows none
}

// New takes the client through which everything goes; it must have a transport of its own.
func New(c *http.Client) (*Client, error) {
	if c == nil || c.Transport == nil {
		return nil, errors.New("oauth: remote authorities need a client with a transport")
	}
	transport := egress.Capped{Next: c.Transport, Most: maxAnswer}
	return &Client{
		reading: &http.Client{Transport: transport, Timeout: callTime, CheckRedirect: func(req *http.Request, via []*http.Request) error {
			if len(via) > maxRedirects {
				return errors.New("too many redirects")
			}
			return checkURL("redirect", req.URL.String())
		}},
		posting: &http.Client{Transport: transport, Timeout: callTime, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}},
	}, nil
}

// Confidential reports that nobody on the network can read what is sent to the URL, and that a browser may be
// sent there: it runs no script.
func Confidential(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback())
}

// checkURL names the URL in its error and does not repeat it.
func checkURL(name, text string) error {
	if !Confidential(text) {
		return fmt.Errorf("%s: %w", name, ErrUnsafe)
	}
	return nil
}
