package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"steward/api"
	"steward/internal/audit"
	"steward/internal/auth"
	"steward/internal/auth/authtest"
	"steward/internal/automation"
	"steward/internal/config"
	"steward/internal/connector/formtest"
	"steward/internal/egress"
	"steward/internal/install"
	"steward/internal/oauth"
	"steward/internal/registry"
	"steward/internal/run"
	"steward/internal/secret"
	"steward/internal/store"
	"steward/internal/storetest"
	"steward/internal/tool"
	"steward/internal/vault"
)

const (
	publicURL = "http://steward.test"
	uiOrigin  = "http://ui.test:8233"
)

// rig is the whole edge over a real database, while Temporal is away.
type rig struct {
	t       testing.TB
	log     *slog.Logger
	db      *store.DB
	ring    *secret.Ring
	paper   *formtest.Paper // behind databases
	feed    *feed
	keys    *auth.Keys
	options auth.TokenOptions // of access tokens
	tickets auth.TokenOptions // of the codec's tickets
	closing chan struct{}
	deps    api.Deps
	handler http.Handler
	logs    *logBuffer
}

func newRig(t testing.TB, change ...func(*api.Deps)) *rig {
	t.Helper()
	r := &rig{t: t, db: storetest.New(t), feed: newFeed(), options: authtest.Options(t), closing: make(chan struct{}), logs: &logBuffer{}}
	r.options.Issuer, r.options.Audience = publicURL, publicURL
	r.tickets = r.options
	r.tickets.Audience = publicURL + "/codec"
	log := slog.New(slog.NewJSONHandler(r.logs, nil))
	r.log = log

	var err error
	r.ring, err = secret.NewRing(authtest.Key(t))
	require.NoError(t, err)
	r.keys, err = auth.NewKeys(r.db.Queries, authtest.Key(t), log)
	require.NoError(t, err)
	tokens, err := auth.NewTokens(r.options)
	require.NoError(t, err)
	tickets, err := auth.NewTokens(r.tickets)
	require.NoError(t, err)
	authenticator, err := auth.New(tokens, r.keys, r.db.Queries)
	require.NoError(t, err)
	consent, connections := r.consent(oauth.Options{
		Providers: []oauth.Provider{
			oauth.Google(config.Google{ClientID: "steward", Discovery: accounts}),
			oauth.Slack(config.Slack{SlackID: "steward", SlackSecret: secret.New("x"), SlackURL: accounts}),
		},
		PublicURL: publicURL, Transport: discovery{},
	})
	kept, err := vault.New(r.db, r.ring)
	require.NoError(t, err)
	exits := egress.New(egress.Rules{})
	exits.Of("").Client().Transport = discovery{}
	servers, err := registry.New(r.db, r.ring, consent, kept, exits, registry.Options{}, log)
	require.NoError(t, err)
	packages, err := install.New(r.db, r.ring, awayTemporal{}, servers, log)
	require.NoError(t, err)
	executor, err := tool.NewExecutor(r.db, r.ring, servers, connections, log, tool.Options{})
	require.NoError(t, err)
	runs, err := run.New(r.db, r.ring, awayTemporal{}, edits{r.ring}, connections, log, run.Options{
		Model: "offline-rules", HostedMCP: true, Limits: automation.Limits{Steps: 40, Tokens: 1000, WallSeconds: 60}, QueueLimit: 1_000_000, InstructionsMax: 64 << 10,
	})
	require.NoError(t, err)
	t.Cleanup(runs.Close)

	d := api.Deps{
		DB: r.db, Runs: runs, Authenticator: authenticator, Tokens: tokens, Tickets: tickets, Ring: r.ring,
		Codec: converter.NewZlibCodec(converter.ZlibCodecOptions{AlwaysEncode: true}), Feed: r.feed, Consent: consent, Connections: connections,
		Executor: executor, Registry: servers, Packages: packages, Vault: kept,
		Probes: []api.Probe{{Name: "postgres", Check: r.db.Pool.Ping}}, Log: log,
		PublicURL: publicURL, TemporalUI: uiOrigin, Namespace: "default", MaxBody: 1 << 20,
		Rates: api.Rates{Create: 1_000_000, Read: 10_000, APIKey: 10_000, MCP: 1_000_000, Calls: 1_000_000, Login: 10_000, Streams: 20}, Closing: r.closing,
	}
	for _, f := range change {
		f(&d)
	}
	r.deps = d
	r.handler, err = api.New(d)
	require.NoError(t, err)
	return r
}

func (r *rig) token(subject string, role auth.Role, scopes ...auth.Scope) string {
	return authtest.Token(r.t, r.options, subject, role, scopes...)
}

func (r *rig) apiKey(tenants ...string) string {
	key, _, err := r.keys.Create(r.t.Context(), auth.KeyGrant{Name: "backend", Role: auth.Service, Tenants: tenants, CreatedBy: "admin"})
	require.NoError(r.t, err)
	return key.Reveal()
}

// call is one request; the zero value is GET / without anything.
type call struct {
	method, path, body string
	token, key         string
	header             map[string]string
}

func (r *rig) do(c call) *httptest.ResponseRecorder {
	r.t.Helper()
	return r.serve(r.request(c))
}

func (r *rig) request(c call) *http.Request {
	if c.method == "" {
		c.method = http.MethodGet
	}
	var body io.Reader
	if c.body != "" {
		body = strings.NewReader(c.body)
	}
	req := httptest.NewRequestWithContext(r.t.Context(), c.method, publicURL+c.path, body)
	if c.body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	if c.key != "" {
		req.Header.Set("X-API-Key", c.key)
	}
	for name, value := range c.header {
		req.Header.Set(name, value)
	}
	if host := c.header["Host"]; host != "" {
		req.Host = host
	}
	return req
}

// problem checks that an answer is a well-formed problem and returns it.
func problem(t testing.TB, w *httptest.ResponseRecorder, status int) api.Problem {
	t.Helper()
	require.Equal(t, status, w.Code, w.Body.String())
	require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
	var p api.Problem
	in := json.NewDecoder(bytes.NewReader(w.Body.Bytes()))
	in.DisallowUnknownFields()
	require.NoError(t, in.Decode(&p))
	require.Equal(t, status, p.Status)
	require.Equal(t, http.StatusText(status), p.Title)
	require.Equal(t, "urn:steward:problem:"+p.Code, p.Type)
	require.NotEmpty(t, p.Code)
	require.NotEmpty(t, p.Detail)
	require.Equal(t, p.Detail, p.Text)
	require.NotNil(t, p.Errors)
	require.False(t, p.Success)
	require.Equal(t, w.Header().Get("X-Request-Id"), p.RequestID)
	return p
}

// decoded reads a JSON answer.
func decoded[T any](t testing.TB, w *httptest.ResponseRecorder, status int) T {
	t.Helper()
	require.Equal(t, status, w.Code, w.Body.String())
	var v T
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &v))
	return v
}

// run starts a run of owner's through the API and returns its number.
func (r *rig) run(owner string) int64 {
	r.t.Helper()
	w := r.do(call{method: http.MethodPost, path: "/automation/run", body: `{"instructions":"say hello"}`, token: r.token(owner, auth.User)})
	return decoded[struct {
		RunID int64 `json:"run_id"`
	}](r.t, w, http.StatusAccepted).RunID
}

// event appends an audit event to a run and wakes its readers.
func (r *rig) event(id int64, key, kind string, body any) {
	r.t.Helper()
	_, err := audit.Append(r.t.Context(), r.db.Queries, audit.Event{
		Chain: automation.AuditChain(id), Key: key, Kind: kind, Actor: "worker", Body: body,
	})
	require.NoError(r.t, err)
	r.feed.wake(automation.AuditChain(id))
}

// question makes a call of a run wait for its owner; its digest is "digest".
func (r *rig) question(owner string, id int64, callID string) {
	r.t.Helper()
	ctx := r.t.Context()
	sealed, err := r.ring.Seal(tool.ArgumentsBinding(owner, callID), []byte(`{"to":"bob@example.com","text":"the whole text"}`))
	require.NoError(r.t, err)
	_, err = r.db.InsertCall(ctx, store.InsertCallParams{
		ID: callID, RunID: id, Owner: owner, Step: 1, CallID: "model_" + callID, FunctionName: "send_email", ServerName: "mailbox",
		ToolName: "send_email", Class: string(automation.Effect), Pin: "pin", ArgumentsSealed: sealed,
		ArgumentsPreview: []byte(`{"to":"bob@example.com"}`), Digest: "digest", State: string(automation.CallWaiting),
	})
	require.NoError(r.t, err)
	_, err = r.db.InsertDecision(ctx, store.InsertDecisionParams{
		ID: "dec_" + callID, RunID: id, Call: callID, Owner: owner, Kind: string(automation.AskApproval), Digest: "digest", Pin: "pin",
		Reason: "the tool changes something", Expiry: time.Hour,
		Explanation: []byte(`{"rules":[{"code":"unknown_addressee","text":"it would reach bob@example.com"}],"tainted":["mailbox/read"],"addressees":[{"value":"bob@example.com","known":false,"where":"to"}]}`),
	})
	require.NoError(r.t, err)
}

// finish ends a run as its workflow would.
func (r *rig) finish(id int64) {
	r.t.Helper()
	ctx := r.t.Context()
	row, err := r.db.GetRunForWorker(ctx, id)
	require.NoError(r.t, err)
	sealed, err := r.ring.Seal(run.OutputBinding(row.Owner, row.WorkflowID), []byte(`{"text":"hello"}`))
	require.NoError(r.t, err)
	require.NoError(r.t, r.db.Tx(ctx, func(q *store.Queries) error {
		_, err := q.FinishRun(ctx, store.FinishRunParams{ID: id, State: string(automation.Success), StateSeq: 99, OutputSealed: sealed})
		if err != nil {
			return err
		}
		_, err = audit.Append(ctx, q, audit.Event{
			Chain: automation.AuditChain(id), Key: "finished", Kind: audit.RunFinished, Actor: "worker", Body: map[string]string{"state": "success"},
		})
		return err
	}))
	r.feed.wake(automation.AuditChain(id))
}

// rows counts everything that a request could have written.
func (r *rig) rows() map[string]int {
	r.t.Helper()
	counts := map[string]int{}
	for _, table := range []string{
		"automation_runs", "tool_calls", "decisions", "audit_events", "idempotency_keys", "revoked_tokens", "credentials", "oauth_flows", "oauth_links",
		"mcp_servers", "tool_overrides", "user_secrets", "direct_calls", "packages", "connections",
	} {
		n := 0
		require.NoError(r.t, r.db.Pool.QueryRow(r.t.Context(), "SELECT count(*) FROM "+table).Scan(&n))
		counts[table] = n
	}
	decided := 0
	require.NoError(r.t, r.db.Pool.QueryRow(r.t.Context(), "SELECT count(*) FROM decisions WHERE verdict <> ''").Scan(&decided))
	counts["decided"] = decided
	return counts
}

// awayTemporal is a Temporal that cannot be reached.
type awayTemporal struct{ client.Client }

var errAway = errors.New("away")

func (awayTemporal) ExecuteWorkflow(context.Context, client.StartWorkflowOptions, any, ...any) (client.WorkflowRun, error) {
	return nil, errAway
}
func (awayTemporal) CancelWorkflow(context.Context, string, string) error { return errAway }
func (awayTemporal) UpdateWorkflow(context.Context, client.UpdateWorkflowOptions) (client.WorkflowUpdateHandle, error) {
	return nil, errAway
}

// edits accepts every edit.
type edits struct{ ring *secret.Ring }

func (e edits) CheckEdit(_ context.Context, _ int64, row *store.ToolCall, arguments json.RawMessage) ([]byte, string, error) {
	sealed, err := e.ring.Seal(tool.ArgumentsBinding(row.Owner, row.ID), arguments)
	return sealed, "edited", err
}

func (e edits) CheckAnswer(q *store.Decision, content json.RawMessage) ([]byte, error) {
	return e.ring.Seal(secret.Binding{Owner: q.Owner, Purpose: "answer", Ref: q.ID}, content)
}

// feed wakes by hand.
type feed struct {
	mu      sync.Mutex
	waiting map[string]map[chan struct{}]bool
	told    map[string]string
}

func newFeed() *feed {
	return &feed{waiting: map[string]map[chan struct{}]bool{}, told: map[string]string{}}
}

func (f *feed) Subscribe(chain string) (<-chan struct{}, func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := make(chan struct{}, 1)
	if f.waiting[chain] == nil {
		f.waiting[chain] = map[chan struct{}]bool{}
	}
	f.waiting[chain][c] = true
	return c, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.waiting[chain], c)
	}
}

func (f *feed) Progress(chain string) (json.RawMessage, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.told[chain]
	return json.RawMessage(now), now != ""
}

// tell sets the progress of a chain; "" drops it.
func (f *feed) tell(chain, now string) {
	f.mu.Lock()
	f.told[chain] = now
	f.mu.Unlock()
	f.wake(chain)
}

func (f *feed) wake(chain string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.waiting[chain] {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// readers counts who waits.
func (f *feed) readers(chain string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.waiting[chain])
}

// logBuffer collects the log.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func (r *rig) serve(req *http.Request) *httptest.ResponseRecorder {
	r.t.Helper()
	w := httptest.NewRecorder()
	r.handler.ServeHTTP(w, req)
	conforms(r.t, req, w)
	return w
}
