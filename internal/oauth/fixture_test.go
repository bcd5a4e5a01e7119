package oauth_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/auth/authtest"
	"steward/internal/automation"
	"steward/internal/config"
	"steward/internal/oauth"
	"steward/internal/oauth/oauthtest"
	"steward/internal/secret"
	"steward/internal/store"
	"steward/internal/storetest"
)

const (
	provider  = "google"
	publicURL = "http://steward.test"
	readMail  = "https://www.googleapis.com/auth/gmail.readonly"
	sendMail  = "https://www.googleapis.com/auth/gmail.send"
)

// site is a database with an authorization server; processes share it.
type site struct {
	server *oauthtest.Server
	db     *store.DB
	admin  secret.String // the database as superuser
	url    secret.String // and as the application
	ring   *secret.Ring
	pepper secret.String
}

func newSite(t testing.TB) *site {
	t.Helper()
	key, err := config.NewKey()
	require.NoError(t, err)
	s := &site{server: oauthtest.New(t), pepper: authtest.Key(t)}
	s.ring, err = secret.NewRing(secret.New(key))
	require.NoError(t, err)
	s.url, s.admin = storetest.URLs(t)
	s.db = s.open(t)
	return s
}

func (s *site) open(t testing.TB) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), s.url, 8)
	require.NoError(t, err)
	t.Cleanup(db.Close)
	return db
}

func (s *site) options(t testing.TB) oauth.Options {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	t.Cleanup(transport.CloseIdleConnections)
	return oauth.Options{
		Providers: []oauth.Provider{oauth.Google(s.server.Config())}, PublicURL: publicURL, LinkKey: s.pepper, Transport: transport,
		Origins: []string{"https://app.example"},
	}
}

// process is what one process on the database would have.
func (s *site) process(t testing.TB, db *store.DB, change ...func(o *oauth.Options)) *oauth.Service {
	t.Helper()
	o := s.options(t)
	for _, c := range change {
		c(&o)
	}
	service, err := oauth.New(db, s.ring, discard(), o)
	require.NoError(t, err)
	return service
}

// callback is a browser that has consented.
func callback(t testing.TB, begun oauth.Begun) oauth.Callback {
	t.Helper()
	q := oauthtest.Consent(t, begun.URL)
	return oauth.Callback{
		Provider: provider, State: q.Get("state"), Code: q.Get("code"), Issuer: q.Get("iss"), Error: q.Get("error"), Browser: begun.Browser,
	}
}

func connect(t testing.TB, s *oauth.Service, owner string, scopes ...string) oauth.Finished {
	t.Helper()
	begun, err := s.Begin(t.Context(), oauth.Begin{Purpose: oauth.Connect, Owner: owner, Provider: provider, Connector: "gmail", Scopes: scopes})
	require.NoError(t, err)
	finished, err := s.Finish(t.Context(), callback(t, begun))
	require.NoError(t, err)
	return finished
}

func (s *site) credential(t testing.TB, owner string) *store.Credential {
	t.Helper()
	row, err := s.db.GetCredential(t.Context(), store.GetCredentialParams{Owner: owner, Provider: provider})
	require.NoError(t, err)
	return row
}

// ages makes the access token of owner end in d from now.
func (s *site) ages(t testing.TB, owner string, d time.Duration) {
	t.Helper()
	_, err := s.db.Pool.Exec(t.Context(), "UPDATE credentials SET expires_at = now() + $2::interval WHERE owner = $1", owner, d)
	require.NoError(t, err)
}

// kinds lists the system's audit events.
func (s *site) kinds(t testing.TB) []string {
	t.Helper()
	var kinds []string
	for _, e := range s.events(t) {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

func (s *site) events(t testing.TB) []*store.AuditEvent {
	t.Helper()
	events, err := s.db.ListAudit(t.Context(), store.ListAuditParams{Chain: automation.AuditSystem, PageSize: 1000})
	require.NoError(t, err)
	return events
}

// last is the body of the last event of a kind.
func (s *site) last(t testing.TB, kind string) map[string]any {
	t.Helper()
	var body map[string]any
	for _, e := range s.events(t) {
		if e.Kind == kind {
			body = nil
			require.NoError(t, json.Unmarshal([]byte(e.Body), &body))
		}
	}
	require.NotNil(t, body, "no event %s", kind)
	return body
}

// call makes a request to the server's API.
func call(ctx context.Context, c *http.Client, address string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, err
	}
	res, err := c.Do(req)
	if err != nil {
		return 0, err
	}
	return res.StatusCode, res.Body.Close()
}

// together runs fn n times at once and returns the errors.
func together(n int, fn func(i int) error) []error {
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { errs[i] = fn(i) })
	}
	all.Wait()
	return errs
}

func query(t testing.TB, address string) url.Values {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	return u.Query()
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// noTransport reaches nobody.
type noTransport struct{ http.RoundTripper }
