package oauth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"steward/internal/fault"
	"steward/internal/store"
)

// LinkTime is how long a link works.
const LinkTime = 15 * time.Minute

const maxLink = 8 << 10 // bytes

// link is what a signed link says.
type link struct {
	ID        string   `json:"id"`
	Owner     string   `json:"owner"`
	Provider  string   `json:"provider"`
	Connector string   `json:"connector,omitempty"`
	Scopes    []string `json:"scopes,omitempty"`
	Redirect  string   `json:"redirect,omitempty"`
	Expires   int64    `json:"exp"` // Unix seconds
}

// Link makes a URL of ours with which a browser that is not signed in may begin a connect flow for owner: it
// works for 15 minutes, once. Faults: Invalid at body.redirect_url, Unavailable with CodeNotConfigured.
func (s *Service) Link(owner, provider, connector string, scopes []string, redirect string) (string, error) {
	family := provider
	if _, ok := ServerOf(provider); ok {
		family = servers
	} else if _, err := s.named(provider); err != nil {
		return "", err
	}
	if err := s.checkRedirect(redirect); err != nil {
		return "", err
	}
	payload, err := json.Marshal(link{
		ID: random(), Owner: owner, Provider: provider, Connector: connector, Scopes: scopes, Redirect: redirect,
		Expires: time.Now().Add(LinkTime).Unix(),
	})
	if err != nil {
		return "", fmt.Errorf("encode link: %w", err)
	}
	body := base64.RawURLEncoding.EncodeToString(payload)
	signed := body + "." + base64.RawURLEncoding.EncodeToString(s.sign(body))
	return s.public + "/auth/" + family + "/login?link=" + url.QueryEscape(signed), nil
}

// OpenLink checks the link parameter of such a URL and uses it up. Faults: Forbidden with CodeLinkInvalid.
func (s *Service) OpenLink(ctx context.Context, text string) (Begin, error) {
	l, ok := s.readLink(text)
	if !ok || time.Now().After(time.Unix(l.Expires, 0)) {
		return Begin{}, staleLink()
	}
	n, err := s.db.UseLink(ctx, store.UseLinkParams{ID: l.ID, ExpiresAt: time.Unix(l.Expires, 0)})
	switch {
	case err != nil:
		return Begin{}, fmt.Errorf("use link: %w", err)
	case n == 0:
		return Begin{}, staleLink()
	}
	return Begin{
		Purpose: Connect, Owner: l.Owner, Provider: l.Provider, Connector: l.Connector, Scopes: l.Scopes, Redirect: l.Redirect,
	}, nil
}

// readLink returns what a link says, and whether we have said it.
func (s *Service) readLink(text string) (link, bool) {
	body, signature, found := strings.Cut(text, ".")
	if !found || len(text) > maxLink {
		return link{}, false
	}
	mac, err := base64.RawURLEncoding.Strict().DecodeString(signature)
	if err != nil || !hmac.Equal(mac, s.sign(body)) {
		return link{}, false
	}
	payload, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil {
		return link{}, false
	}
	var l link
	err = json.Unmarshal(payload, &l)
	return l, err == nil
}

func (s *Service) sign(body string) []byte {
	mac := hmac.New(sha256.New, s.linkKey)
	mac.Write([]byte(body))
	return mac.Sum(nil)
}

// staleLink is the one answer to every link that does not work.
func staleLink() error {
	return fault.New(fault.Forbidden, "this link does not work any more: ask for a new one").WithCode(CodeLinkInvalid)
}
