package oauth

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"steward/internal/egress"
	"steward/internal/secret"
	"steward/internal/store"
)

// Codes of the faults of this package.
const (
	CodeNotConfigured    = "provider_not_configured" // Unavailable: no client id
	CodeMisconfigured    = "provider_misconfigured"  // Unavailable: the provider refuses our client id or secret
	CodeProvider         = "provider_failed"         // Upstream, or Unavailable while we cannot ask: trying again may help
	CodeStateInvalid     = "state_invalid"           // Malformed: unknown, used, expired, or of another browser
	CodeIssuerMismatch   = "issuer_mismatch"         // Forbidden: the answer is not the provider's (RFC 9207)
	CodeConsentDenied    = "consent_denied"          // Forbidden: the person said no
	CodeCodeRefused      = "code_refused"            // Malformed: the provider does not take its code
	CodeIdentityInvalid  = "identity_invalid"        // Forbidden: the ID token proves nothing
	CodeLoginRefused     = "login_refused"           // Forbidden: not on the list of those who may sign in
	CodeLinkInvalid      = "link_invalid"            // Forbidden: not ours, used, or too old
	CodeHostRefused      = "host_refused"            // Forbidden: a token does not go there
	CodeRevocationFailed = "revocation_failed"       // Upstream: forgotten here, perhaps not there
)

// Service keeps credentials and the flows that lead to them. It is safe for concurrent use; any number of
// processes may share its database.
type Service struct {
	db        *store.DB
	ring      *secret.Ring
	log       *slog.Logger
	providers map[string]named
	public    string          // our own URL, without a slash at its end
	origins   map[string]bool // to which a browser may be sent
	linkKey   []byte
	logins    []string
	client    *http.Client      // for endpoints of authorization servers
	transport http.RoundTripper // for APIs
	remote    *egress.Exits     // to what remote servers name; nil: they have no authorities
	asking    chan struct{}     // a place for each question that holds a connection of the pool
	flights   singleflight.Group
	early     sync.Map // by credential: until when a token that still works is not renewed before its time
	consented func(ctx context.Context, owner string)
}

// Options are what a Service is made of. Providers may be empty: then every flow is refused.
type Options struct {
	Providers []Provider
	PublicURL string            // how browsers reach us; callbacks are PublicURL/auth/<provider>/callback
	Origins   []string          // further ones to which a browser may be sent after consent
	LinkKey   secret.String     // 256 bits in base64, of which the key of links is derived
	Logins    []string          // who may sign in: addresses, @domains, or *; empty: everybody
	Transport http.RoundTripper // reaches the providers, which the operator names: it needs no guard
	Remote    *egress.Exits     // to what remote MCP servers name; nil: their authorities are not asked
}

const (
	callTime  = 10 * time.Second // for one call of an authorization server
	maxAnswer = 1 << 20          // bytes of its answer
	// asks bounds the refreshes of one process at once, each of which holds a connection of the pool while the
	// provider answers: a provider that hangs must not take the pool from everybody else.
	asks = 4
)

// New checks the options; nothing is dialled yet.
func New(db *store.DB, ring *secret.Ring, log *slog.Logger, o Options) (*Service, error) {
	if db == nil || ring == nil || log == nil || o.Transport == nil {
		return nil, errors.New("oauth: database, key ring, log and transport are required")
	}
	s := &Service{
		db: db, ring: ring, log: log, providers: map[string]named{}, logins: o.Logins, transport: o.Transport, remote: o.Remote,
		public: strings.TrimRight(o.PublicURL, "/"), origins: map[string]bool{}, asking: make(chan struct{}, asks),
		client: &http.Client{
			Transport: egress.Capped{Next: o.Transport, Most: maxAnswer}, Timeout: callTime,
			CheckRedirect: noRedirect,
		},
		consented: func(context.Context, string) {},
	}
	for _, text := range append([]string{s.public}, o.Origins...) {
		u, err := url.Parse(text)
		if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			return nil, fmt.Errorf("oauth: %q is not an origin", text)
		}
		s.origins[origin(u)] = true
	}
	for _, p := range o.Providers {
		open := p.open
		if open == nil {
			open = openOpenID
		}
		a, err := open(p, s.client, s.callback(p.Name))
		if err != nil {
			return nil, err
		}
		s.providers[p.Name] = a
	}
	key, err := secret.DecodeKey(o.LinkKey)
	if err != nil {
		return nil, fmt.Errorf("oauth: key of links: %w", err)
	}
	// A key of its own, so that what is signed here is of no use where the other one signs.
	s.linkKey, err = hkdf.Key(sha256.New, key, nil, "steward oauth link v1", sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("oauth: derive key of links: %w", err)
	}
	return s, nil
}

// OnConsent names who is told after a credential became usable, so that what waits for it can go on. It is
// called before the service is used.
func (s *Service) OnConsent(told func(ctx context.Context, owner string)) { s.consented = told }

// APIURL is the base of the provider's APIs where it is not the public one; empty otherwise.
func (s *Service) APIURL(provider string) string {
	if a, ok := s.providers[provider]; ok {
		return a.base()
	}
	return ""
}

// Configured says whether this service is registered with the provider; with those of remote servers it registers
// itself.
func (s *Service) Configured(provider string) bool {
	if _, ok := ServerOf(provider); ok {
		return s.remote != nil
	}
	_, ok := s.providers[provider]
	return ok
}

// tell says that owner has consented. A callback waits for it, within bounds.
func (s *Service) tell(ctx context.Context, owner string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tellTime)
	defer cancel()
	s.consented(ctx, owner)
}

// tellTime bounds how long a callback waits until those who wait for the consent were told.
const tellTime = 5 * time.Second

// Forget drops flows and links that have expired, and what is kept for servers that are gone; it returns how many.
func (s *Service) Forget(ctx context.Context) (int64, error) {
	flows, err := s.db.DeleteExpiredFlows(ctx)
	if err != nil {
		return 0, fmt.Errorf("delete expired flows: %w", err)
	}
	links, err := s.db.DeleteExpiredLinks(ctx)
	if err != nil {
		return flows, fmt.Errorf("delete expired links: %w", err)
	}
	credentials, err := s.db.DeleteStrayCredentials(ctx)
	if err != nil {
		return flows + links, fmt.Errorf("delete stray credentials: %w", err)
	}
	refreshes, err := s.db.DeleteStrayRefreshes(ctx)
	if err != nil {
		return flows + links + credentials, fmt.Errorf("delete stray refreshes: %w", err)
	}
	return flows + links + credentials + refreshes, nil
}

// callback is where the authorities of a family send browsers back to: a provider's name, or servers for all
// remote servers together.
func (s *Service) callback(family string) string { return s.public + "/auth/" + family + "/callback" }

func origin(u *url.URL) string { return u.Scheme + "://" + strings.ToLower(u.Host) }
