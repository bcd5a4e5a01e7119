package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"

	"steward/internal/fault"
	"steward/internal/oauth/remote"
)

// endpoints is what the OpenID configuration of a provider says.
type endpoints struct {
	oauth2.Endpoint
	revocation string
	issuerSent bool // iss is in every authorization response (RFC 9207 §3)
	verifier   *oidc.IDTokenVerifier
}

// openID is a provider whose configuration is read on first use, and again until that succeeds.
type openID struct {
	apis
	client   *http.Client
	callback string // where it sends browsers back to
	reading  singleflight.Group
	read     atomic.Pointer[endpoints]
}

func openOpenID(p Provider, client *http.Client, callback string) (named, error) {
	if p.Name == "" || p.ClientID == "" || p.Authorize == nil {
		return nil, errors.New("oauth: a provider needs a name, a client id and its way to ask")
	}
	if !remote.Confidential(p.Issuer) {
		return nil, fmt.Errorf("oauth: the issuer of %s is neither https nor on this machine", p.Title)
	}
	at, err := newAPIs(p)
	if err != nil {
		return nil, err
	}
	return &openID{apis: at, client: client, callback: callback}, nil
}

// endpoints reads the OpenID configuration. One reading serves all that wait; none outlives callTime.
func (a *openID) endpoints(ctx context.Context) (*endpoints, error) {
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

func (a *openID) discover(ctx context.Context) (*endpoints, error) {
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
		if !remote.Confidential(text) {
			return nil, errors.New("read OpenID configuration: an endpoint is missing or neither https nor on this machine")
		}
	}
	if found.revocation != "" && !remote.Confidential(found.revocation) {
		return nil, errors.New("read OpenID configuration: the revocation endpoint is neither https nor on this machine")
	}
	found.verifier = p.Verifier(&oidc.Config{ClientID: a.ClientID})
	a.read.Store(found)
	return found, nil
}
