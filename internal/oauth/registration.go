package oauth

import (
	"context"
	"fmt"
	"time"

	"steward/internal/oauth/remote"
	"steward/internal/secret"
	"steward/internal/store"
)

// app is how this service introduces itself to authorization servers of remote servers.
func (s *Service) app(redirect string) remote.App {
	return remote.App{Name: "Steward", URL: s.public, Redirect: redirect, Document: s.public + DocumentPath}
}

// DocumentPath is where the client ID metadata document is served.
const DocumentPath = "/.well-known/oauth-client.json"

// Document is the client ID metadata document: what an authorization server reads about us at our client id.
type Document struct {
	ClientID     string   `json:"client_id"`
	ClientName   string   `json:"client_name"`
	ClientURI    string   `json:"client_uri"`
	RedirectURIs []string `json:"redirect_uris"`
	GrantTypes   []string `json:"grant_types"`
	Responses    []string `json:"response_types"`
	Method       string   `json:"token_endpoint_auth_method"`
	Kind         string   `json:"application_type"`
}

// Document describes this service. It is of use where the public URL is https.
func (s *Service) Document() Document {
	app := s.app(s.redirectOf(remote.Document, ""))
	m := app.Metadata()
	return Document{
		ClientID: app.Document, ClientName: m.ClientName, ClientURI: m.ClientURI, RedirectURIs: m.RedirectURIs, GrantTypes: m.GrantTypes,
		Responses: m.ResponseTypes, Method: m.TokenEndpointAuthMethod, Kind: m.ApplicationType,
	}
}

// Prepare makes sure that owner can be asked for consent to a remote server, so that what stands in the way shows
// before a browser is sent anywhere. Faults are Calibrate's, and Conflict with CodeClientRequired.
func (s *Service) Prepare(ctx context.Context, owner string, server int64) error {
	a, err := s.serverAuthority(ctx, owner, server)
	if err != nil {
		return err
	}
	_, err = a.register(ctx, owner)
	return err
}

// register is what the authority knows us by for owner: kept, or made now.
func (a *serverAuthority) register(ctx context.Context, owner string) (remote.Registration, error) {
	s := a.service
	row, err := s.db.GetOAuthClient(ctx, store.GetOAuthClientParams{Issuer: a.issuer, Owner: owner})
	if err != nil && !store.IsNoRows(err) {
		return remote.Registration{}, fmt.Errorf("read registration: %w", err)
	}
	replaces := ""
	if err == nil {
		if a.fits(row) {
			return s.registration(row)
		}
		replaces = row.ClientID
	}
	known := a.metadata
	known.ClientIDMetadataDocumentSupported = a.readsDocument()
	r, err := a.client.Register(ctx, &known, s.app(s.redirectOf(remote.Registered, a.issuer)), nil)
	if err != nil {
		return remote.Registration{}, a.failed(err)
	}
	return s.keepRegistration(ctx, a.issuer, "", replaces, r)
}

// fits says whether a registration can still be used in a flow.
func (a *serverAuthority) fits(row *store.OauthClient) bool {
	kind := remote.Kind(row.Kind)
	switch {
	case kind == remote.Given:
		return true
	case row.RedirectURL != a.service.redirectOf(kind, a.issuer):
		return false
	case kind == remote.Document && (row.ClientID != a.service.public+DocumentPath || !a.readsDocument()):
		return false
	}
	return row.ExpiresAt == nil || time.Until(*row.ExpiresAt) > flowTime
}

// keepRegistration stores one, unless another process has stored its own meanwhile: then that one counts.
func (s *Service) keepRegistration(ctx context.Context, issuer, owner, replaces string, r remote.Registration) (remote.Registration, error) {
	put := store.PutOAuthClientParams{
		Issuer: issuer, Owner: owner, Kind: string(r.Kind), ClientID: r.ClientID, AuthMethod: r.Method, RedirectURL: s.redirectOf(r.Kind, issuer), Replaces: replaces,
	}
	if !r.Expires.IsZero() {
		put.ExpiresAt = &r.Expires
	}
	var err error
	if !r.Secret.IsZero() {
		if put.SecretSealed, err = s.ring.Seal(clientBinding(owner, issuer), []byte(r.Secret.Reveal())); err != nil {
			return remote.Registration{}, err
		}
	}
	row, err := s.db.PutOAuthClient(ctx, put)
	if store.IsNoRows(err) {
		row, err = s.db.GetOAuthClient(ctx, store.GetOAuthClientParams{Issuer: issuer, Owner: owner})
	}
	if err != nil {
		return remote.Registration{}, fmt.Errorf("store registration: %w", err)
	}
	return s.registration(row)
}

// registered finds the registration to which tokens were given; nil if there is none any more.
func (s *Service) registered(ctx context.Context, owner, issuer, client string) (*remote.Registration, error) {
	row, err := s.db.FindOAuthClient(ctx, store.FindOAuthClientParams{Issuer: issuer, Owner: owner, ClientID: client})
	switch {
	case store.IsNoRows(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read registration: %w", err)
	}
	r, err := s.registration(row)
	return &r, err
}

func (s *Service) registration(row *store.OauthClient) (remote.Registration, error) {
	token, err := s.open(clientBinding(row.Owner, row.Issuer), row.SecretSealed)
	return remote.Registration{Kind: remote.Kind(row.Kind), ClientID: row.ClientID, Secret: token, Method: row.AuthMethod}, err
}

// forget drops a registration of our own that the authority knows no more, so that the next flow makes another
// one. It returns err.
func (a *serverAuthority) forget(ctx context.Context, r remote.Registration, err error) error {
	if r.Kind == remote.Registered && unknownClient(err) {
		failed := a.service.db.DeleteOAuthClient(ctx, store.DeleteOAuthClientParams{Issuer: a.issuer, ClientID: r.ClientID})
		if failed != nil {
			a.service.log.WarnContext(ctx, "registration not forgotten", "server", a.server, "error", failed)
		}
	}
	return err
}

// clientBinding ties the secret of a registration to the one issuer that gave it.
func clientBinding(owner, issuer string) secret.Binding {
	if owner == "" {
		owner = "(service)"
	}
	return secret.Binding{Owner: owner, Purpose: "oauth.client", Ref: issuer}
}
