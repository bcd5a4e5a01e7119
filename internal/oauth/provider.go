package oauth

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"steward/internal/oauth/remote"
	"steward/internal/secret"
	"steward/internal/store"
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

	// open makes the authority of a provider that does not speak OpenID Connect; nil: it does.
	open func(p Provider, client *http.Client, callback string) (named, error)
}

// Ask is what one authorization request is about.
type Ask struct {
	Renew  bool   // the person must consent anew, or no refresh token would come
	StepUp bool   // there is a grant already, or may be: it is to be kept
	Hint   string // the account's mail address, when it is known
}

// named is an authority that the operator has named, with the APIs that its tokens open.
type named interface {
	authority
	// accepts says whether a token may go to u.
	accepts(u *url.URL) bool
	// base is where the APIs are instead of the public ones; empty: there.
	base() string
	// stale says whether an answer of the APIs means that the token does not work, or no more.
	stale(res *http.Response) bool
	// lacks says whether an answer of the APIs means that a scope is missing, and which one if that is said.
	lacks(res *http.Response) (scopes []string, missing bool)
}

// apis is what every named provider has.
type apis struct {
	Provider
	at *url.URL // of APIURL
}

func newAPIs(p Provider) (apis, error) {
	a := apis{Provider: p}
	if p.APIURL == "" {
		return a, nil
	}
	if !remote.Confidential(p.APIURL) {
		return a, fmt.Errorf("oauth: the API of %s is neither https nor on this machine", p.Title)
	}
	a.at, _ = url.Parse(p.APIURL) // Confidential has parsed it
	return a, nil
}

func (a *apis) name() string  { return a.Name }
func (a *apis) title() string { return a.Title }
func (a *apis) base() string  { return a.APIURL }

// holds: a provider of the operator's choice has one issuer.
func (a *apis) holds(*store.Credential) bool { return true }

func (a *apis) accepts(u *url.URL) bool {
	switch {
	case u.User != nil:
		return false
	case a.at != nil:
		return origin(u) == origin(a.at)
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
