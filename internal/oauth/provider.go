package oauth

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"

	"steward/internal/fault"
	"steward/internal/secret"
)

// Provider is an authorization server with the APIs that its tokens open, and our registration there.
type Provider struct {
	Name         string // in URLs and tables, such as "google"
	Title        string // for people
	Issuer       string // where its OpenID configuration is found, and what it must say of itself
	ClientID     string
	ClientSecret secret.String
	APIURL       string   // base of the APIs instead of the public ones; the only place for tokens then
	Hosts        []string // where tokens may go over https; a leading dot takes subdomains in
	Identity     []string // scopes that say who it is: asked for always
	// Authorize is what an authorization request says beyond RFC 6749: ask names what it is for.
	Authorize func(ask Ask) url.Values
}

// Ask is what one authorization request is about.
type Ask struct {
	Renew  bool   // the person must consent anew, or no refresh token would come
	StepUp bool   // there is a grant already, or may be: it is to be kept
	Hint   string // the account's mail address, when it is known
}

// endpoints is what the OpenID configuration of a provider says.
type endpoints struct {
	oauth2.Endpoint
	revocation string
	issuerSent bool // iss is in every authorization response (RFC 9207 §3)
	verifier   *oidc.IDTokenVerifier
}

// authority is a provider whose configuration is read on first use, and again until that succeeds.
type authority struct {
	Provider
	client  *http.Client
	api     *url.URL
	reading singleflight.Group
	read    atomic.Pointer[endpoints]
}

func newAuthority(p Provider, client *http.Client) (*authority, error) {
	a := &authority{Provider: p, client: client}
	if p.Name == "" || p.ClientID == "" || p.Authorize == nil {
		return nil, errors.New("oauth: a provider needs a name, a client id and its way to ask")
	}
	if !confidential(p.Issuer) {
		return nil, fmt.Errorf("oauth: the issuer of %s is neither https nor on this machine", p.Title)
	}
	if p.APIURL != "" {
		if !confidential(p.APIURL) {
			return nil, fmt.Errorf("oauth: the API of %s is neither https nor on this machine", p.Title)
		}
		a.api, _ = url.Parse(p.APIURL) // confidential has parsed it
	}
	return a, nil
}

// accepts says whether a token of this provider may go to u.
func (a *authority) accepts(u *url.URL) bool {
	switch {
	case u.User != nil:
		return false
	case a.api != nil:
		return origin(u) == origin(a.api)
	case u.Scheme != "https" || u.Port() != "" && u.Port() != "443":
		return false
	}
	host := strings.ToLower(u.Hostname())
	for _, h := range a.Hosts {
		if host == h || strings.HasPrefix(h, ".") && strings.HasSuffix(host, h) {
			return true
		}
	}
	return false
}

// endpoints reads the OpenID configuration. One reading serves all that wait; none outlives callTime.
func (a *authority) endpoints(ctx context.Context) (*endpoints, error) {
	if found := a.read.Load(); found != nil {
		return found, nil
	}
	done := a.reading.DoChan("", func() (any, error) { return a.discover(context.WithoutCancel(ctx)) })
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case result := <-done:
		if result.Err != nil {
			return nil, fault.Wrap(result.Err, fault.Upstream, "%s does not answer as it should", a.Title).WithCode(CodeProvider)
		}
		found, _ := result.Val.(*endpoints)
		return found, nil
	}
}

func (a *authority) discover(ctx context.Context) (*endpoints, error) {
	p, err := oidc.NewProvider(oidc.ClientContext(ctx, a.client), a.Issuer) // compares the issuer (RFC 8414 §3.3)
	if err != nil {
		return nil, fmt.Errorf("read OpenID configuration: %.200s", err.Error()) // it holds the whole answer
	}
	var more struct {
		Revocation string `json:"revocation_endpoint"`
		Keys       string `json:"jwks_uri"`
		IssuerSent bool   `json:"authorization_response_iss_parameter_supported"`
	}
	if err := p.Claims(&more); err != nil {
		return nil, fmt.Errorf("read OpenID configuration: %w", err)
	}
	found := &endpoints{Endpoint: p.Endpoint(), revocation: more.Revocation, issuerSent: more.IssuerSent}
	found.AuthStyle = oauth2.AuthStyleInParams
	for _, text := range []string{found.AuthURL, found.TokenURL, more.Keys} {
		if !confidential(text) {
			return nil, errors.New("read OpenID configuration: an endpoint is missing or neither https nor on this machine")
		}
	}
	if found.revocation != "" && !confidential(found.revocation) {
		return nil, errors.New("read OpenID configuration: the revocation endpoint is neither https nor on this machine")
	}
	found.verifier = p.Verifier(&oidc.Config{ClientID: a.ClientID})
	a.read.Store(found)
	return found, nil
}

// confidential reports that nobody on the network can read what is sent to the URL.
func confidential(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback())
}
