package tool_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	gmailapi "google.golang.org/api/gmail/v1"

	"steward/dev/counterpart/google"
	"steward/internal/auth/authtest"
	"steward/internal/automation"
	"steward/internal/config"
	"steward/internal/connector"
	"steward/internal/connector/gmail"
	"steward/internal/egress"
	"steward/internal/llm"
	"steward/internal/oauth"
	"steward/internal/registry"
	"steward/internal/secret"
	"steward/internal/store"
	"steward/internal/storetest"
	"steward/internal/tool"
	"steward/internal/vault"
)

// connected is a user with a Gmail account, and a run that may use it.
type connected struct {
	*fixture
	google  *google.Server
	consent *oauth.Service
	users   *connector.Connections
}

const publicURL = "http://steward.test"

func newConnected(t *testing.T, scopes ...string) *connected {
	t.Helper()
	if scopes == nil {
		scopes = []string{gmailapi.GmailReadonlyScope, gmailapi.GmailComposeScope}
	}
	c := &connected{
		fixture: &fixture{t: t, db: storetest.New(t)},
		google:  google.Start(t, google.Options{Redirects: []string{publicURL + "/auth/google/callback"}}),
	}
	var err error
	c.ring, err = secret.NewRing(secret.New(newKey(t)))
	require.NoError(t, err)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	c.consent, err = oauth.New(c.db, c.ring, slog.New(slog.DiscardHandler), oauth.Options{
		Providers: []oauth.Provider{oauth.Google(config.Google{
			ClientID: google.ClientID, ClientSecret: secret.New(google.ClientSecret), Discovery: c.google.URL, APIURL: c.google.URL,
		})},
		PublicURL: publicURL, LinkKey: authtest.Key(t), Transport: transport,
	})
	require.NoError(t, err)
	c.users, err = connector.NewConnections(connector.Options{Credentials: c.consent}, gmail.New())
	require.NoError(t, err)
	kept, err := vault.New(c.db, c.ring)
	require.NoError(t, err)
	c.reg, err = registry.New(c.db, c.ring, c.consent, kept, egress.New(egress.Rules{}), registry.Options{}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.reg.Close(context.WithoutCancel(t.Context()))) })
	c.consents(scopes...)
	c.x = c.worker()
	c.startRun()
	return c
}

func newKey(t *testing.T) string {
	t.Helper()
	key, err := config.NewKey()
	require.NoError(t, err)
	return key
}

// consents is alice, who agrees at Google.
func (c *connected) consents(scopes ...string) {
	c.t.Helper()
	begun, err := c.consent.Begin(c.t.Context(), oauth.Begin{Purpose: oauth.Connect, Owner: owner, Provider: "google", Connector: "gmail", Scopes: scopes, Redirect: "/"})
	require.NoError(c.t, err)
	back := google.NewBrowser().Callback(c.t, begun.URL, google.Alice).Query()
	_, err = c.consent.Finish(c.t.Context(), oauth.Callback{
		Provider: "google", State: back.Get("state"), Code: back.Get("code"), Issuer: back.Get("iss"), Browser: begun.Browser,
	})
	require.NoError(c.t, err)
}

// worker is one more executor on the same ledger, as another worker has.
func (c *connected) worker() *tool.Executor {
	x, err := tool.NewExecutor(c.db, c.ring, c.reg, c.users, slog.New(slog.DiscardHandler), tool.Options{Timeout: 20 * time.Second})
	require.NoError(c.t, err)
	return x
}

func (c *connected) startRun() {
	ctx := c.t.Context()
	var err error
	c.run, err = c.db.InsertRun(ctx, store.InsertRunParams{
		Mode: "worker", Connections: []string{"gmail"}, Owner: owner, Actor: owner, WorkflowID: "run/test", ServerIDs: []int64{}, InstructionsSealed: []byte("x"),
		Approval: tool.ApproveNever, Limits: json.RawMessage("{}"), Metadata: json.RawMessage("{}"),
	})
	require.NoError(c.t, err)
	own, err := c.users.Named(ctx, owner, []string{"gmail"})
	require.NoError(c.t, err)
	require.Len(c.t, own, 1)
	c.cat, err = tool.Resolve(ctx, c.reg, owner, tool.Sources{Connections: own}, "")
	require.NoError(c.t, err)
	doc, err := json.Marshal(c.cat)
	require.NoError(c.t, err)
	require.NoError(c.t, c.db.PutCatalogue(ctx, store.PutCatalogueParams{RunID: c.run.ID, Snapshot: doc}))
}

// planned records one turn of the model with one call.
func (c *connected) planned(function, arguments string) automation.PlannedCall {
	c.t.Helper()
	c.step++
	var planned []automation.PlannedCall
	err := c.db.Tx(c.t.Context(), func(q *store.Queries) (err error) {
		planned, err = c.x.Plan(c.t.Context(), q, tool.Turn{
			Run: c.run, Catalogue: c.cat, Step: c.step, Stamp: stamp, Instructions: "write to " + google.Bob,
		}, []llm.Call{{CallID: "call-1", Name: function, Arguments: arguments}})
		return err
	})
	require.NoError(c.t, err)
	require.Empty(c.t, planned[0].Decision, "nobody has to be asked")
	return planned[0]
}

// mail plans the mail whose way the tests interrupt.
func (c *connected) mail() automation.PlannedCall {
	return c.planned("GMAIL_SEND_EMAIL", `{"to":["bob@example.com"],"subject":"Sum","body":"EUR 120"}`)
}

// begin starts an attempt that gets stuck. The function it returns waits for its end.
func (c *connected) begin(p automation.PlannedCall) (end func() (automation.CallResult, error)) {
	var (
		wg  sync.WaitGroup
		out automation.CallResult
		err error
	)
	x, in := c.worker(), c.input(p)
	wg.Go(func() { out, err = x.Execute(c.t.Context(), in, stamp, nil) })
	return func() (automation.CallResult, error) {
		wg.Wait()
		return out, err
	}
}

func TestConnectionsToolsAreInTheCatalogue(t *testing.T) {
	t.Parallel()
	c := newConnected(t)
	send, ok := c.cat.Find("GMAIL_SEND_EMAIL")
	require.True(t, ok)
	require.Equal(t, automation.Effect, send.Class)
	require.Equal(t, "gmail/GMAIL_SEND_EMAIL", send.Label())
	require.Equal(t, []string{"to", "recipient_email", "cc", "bcc"}, send.Addressees)
	search, _ := c.cat.Find("GMAIL_SEARCH_EMAILS")
	require.True(t, search.Untrusted && search.Private)
}

func TestConnectionReadsAndSends(t *testing.T) {
	t.Parallel()
	c := newConnected(t)
	p := c.planned("GMAIL_GET_PROFILE", `{}`)
	out, err := c.execute(p)
	require.NoError(t, err)
	require.Equal(t, automation.CallDone, out.State)
	require.JSONEq(t, `{"emailAddress":"alice@example.com"}`, c.result(p))
	p = c.mail()
	out, err = c.execute(p)
	require.NoError(t, err)
	require.Equal(t, automation.CallDone, out.State)
	sent := c.google.Sent(t, google.Alice)
	require.Len(t, sent, 1)
	require.Equal(t, p.ID, sent[0].Header.Get("X-Steward-Call"))
	require.JSONEq(t, `{"messageId":"`+sent[0].ID+`","threadId":"`+sent[0].Thread+`","status":"sent"}`, c.result(p))
}

// The attempt that made the claim stops for good at each point of a send; another worker takes over, finishes,
// and then the first one wakes up.
func TestMailStandsOnceWhereverAnAttemptStops(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		kind  google.Kind
		after bool // Gmail has acted
		asked bool // the second worker sends again
	}{
		{"before the draft", google.DraftCreate, false, true},
		{"after the draft, before the note", google.DraftCreate, true, true},
		{"after the note, before sending", google.DraftSend, false, true},
		{"sent, before the answer", google.DraftSend, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newConnected(t)
			arrived, release := make(chan struct{}, 1), make(chan struct{})
			stop := google.Fault{Arrived: arrived, Before: release}
			if tt.after {
				stop = google.Fault{Arrived: arrived, After: release}
			}
			c.google.Inject(tt.kind, 1, stop)
			p := c.mail()
			end := c.begin(p)
			<-arrived

			out, err := c.worker().Execute(t.Context(), c.input(p), stamp, nil)
			require.NoError(t, err)
			require.Equal(t, automation.CallDone, out.State)
			require.Len(t, c.google.Sent(t, google.Alice), 1)
			row := c.row(p)
			require.True(t, row.WasUnknown, "flagged before it was resolved")
			if !tt.asked {
				require.Equal(t, "probe", row.ResolvedBy)
			}
			close(release)
			late, err := end()
			if err == nil {
				require.Equal(t, automation.CallDone, late.State, "an attempt that lost its call may only repeat what is recorded")
			}
			require.Len(t, c.google.Sent(t, google.Alice), 1)
			require.Empty(t, c.google.Drafts(t, google.Alice))
			require.Equal(t, string(automation.CallDone), c.row(p).State)
		})
	}
}

// claimed leaves the ledger as a worker does that dies right after its claim.
func TestMailOfAWorkerThatDiedBeforeItAskedForAnything(t *testing.T) {
	t.Parallel()
	c := newConnected(t)
	p := c.mail()
	c.claimAndDie(p)
	out, err := c.execute(p)
	require.NoError(t, err)
	require.Equal(t, automation.CallDone, out.State)
	require.Len(t, c.google.Sent(t, google.Alice), 1)
}

func TestMailWhoseAnswerIsCut(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		kind   google.Kind
		fault  google.Fault
		again  bool // the attempt fails, and Temporal makes another
		probed bool
	}{
		{"draft made, answer cut", google.DraftCreate, google.Fault{Cut: true}, true, false},
		{"draft not made", google.DraftCreate, google.Fault{Lost: true}, true, false},
		{"sent, answer cut", google.DraftSend, google.Fault{Cut: true}, false, true},
		{"not sent", google.DraftSend, google.Fault{Lost: true}, true, false},
		{"Google failed", google.DraftSend, google.Fault{Status: 503}, true, false},
		{"too fast", google.DraftSend, google.Fault{Status: 429}, true, false},
		{"a token that Google refuses", google.DraftSend, google.Fault{Status: 401}, false, false}, // refreshed, tried again
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newConnected(t)
			c.google.Inject(tt.kind, 1, tt.fault)
			p := c.mail()
			out, err := c.execute(p)
			if tt.again {
				require.Error(t, err)
				require.Equal(t, string(automation.CallPlanned), c.row(p).State, "it provably did not happen")
				require.Empty(t, c.google.Sent(t, google.Alice))
				out, err = c.execute(p)
			}
			require.NoError(t, err)
			require.Equal(t, automation.CallDone, out.State)
			require.Len(t, c.google.Sent(t, google.Alice), 1)
			require.Equal(t, tt.probed, c.row(p).ResolvedBy == "probe")
		})
	}
}

// The question after a lost answer is lost too: it is asked again.
func TestProbeWhoseAnswerIsCut(t *testing.T) {
	t.Parallel()
	c := newConnected(t)
	c.google.Inject(google.DraftSend, 1, google.Fault{Cut: true})
	c.google.Inject(google.DraftDelete, 1, google.Fault{Lost: true})
	c.google.Inject(google.ThreadsGet, 1, google.Fault{Status: 503})
	p := c.mail()
	out, err := c.execute(p)
	require.NoError(t, err)
	require.Equal(t, automation.CallDone, out.State)
	require.Equal(t, "probe", c.row(p).ResolvedBy)
	require.Len(t, c.google.Sent(t, google.Alice), 1)
}

func TestManyWorkersSendOneMail(t *testing.T) {
	t.Parallel()
	c := newConnected(t)
	p := c.mail()
	var wg sync.WaitGroup
	for range 8 {
		x := c.worker()
		wg.Go(func() { _, _ = x.Execute(t.Context(), c.input(p), stamp, nil) })
	}
	wg.Wait()
	out, err := c.execute(p)
	require.NoError(t, err)
	require.Equal(t, automation.CallDone, out.State)
	require.Len(t, c.google.Sent(t, google.Alice), 1)
	require.Empty(t, c.google.Drafts(t, google.Alice))
}

// What nobody can say is not guessed: a person is asked.
func TestMailThatNobodyKnowsOf(t *testing.T) {
	t.Parallel()
	c := newConnected(t, gmailapi.GmailSendScope)
	c.google.Inject(google.MessagesSend, 1, google.Fault{Cut: true})
	p := c.mail()
	out, err := c.execute(p)
	require.NoError(t, err)
	require.Equal(t, automation.CallUnknown, out.State)
	require.NotEmpty(t, out.Decision)
	again, err := c.worker().Execute(t.Context(), c.input(p), stamp, nil)
	require.NoError(t, err)
	require.Equal(t, out, again)
	require.Len(t, c.google.Sent(t, google.Alice), 1)
}

func TestClosingARunTakesTheDraftAway(t *testing.T) {
	t.Parallel()
	c := newConnected(t)
	arrived, release := make(chan struct{}, 1), make(chan struct{})
	c.google.Inject(google.DraftSend, 1, google.Fault{Arrived: arrived, Before: release})
	p := c.mail()
	end := c.begin(p)
	<-arrived
	require.Len(t, c.google.Drafts(t, google.Alice), 1)
	require.NoError(t, c.worker().CloseRun(t.Context(), c.run.ID, "the run was cancelled", stamp))
	require.Equal(t, string(automation.CallFailed), c.row(p).State, "the probe says that it did not happen")
	close(release)
	_, _ = end()
	require.Empty(t, c.google.Drafts(t, google.Alice))
	require.Empty(t, c.google.Sent(t, google.Alice), "what was said to have failed does not happen afterwards")
}

func TestRevokedConsentParksTheCallAndNothingIsLost(t *testing.T) {
	t.Parallel()
	c := newConnected(t)
	p := c.mail()
	c.google.Revoke(t, google.Alice)
	out, err := c.execute(p)
	require.NoError(t, err)
	require.NotNil(t, out.Park)
	require.Equal(t, automation.WaitingForAuth, out.Park.State)
	require.Equal(t, "google", out.Park.Waiting.Provider)
	require.Empty(t, c.google.Sent(t, google.Alice))

	again, err := c.execute(p)
	require.NoError(t, err)
	require.NotNil(t, again.Park, "it is known before the claim")
	c.consents(gmailapi.GmailReadonlyScope, gmailapi.GmailComposeScope)
	out, err = c.execute(p)
	require.NoError(t, err)
	require.Equal(t, automation.CallDone, out.State)
	require.Len(t, c.google.Sent(t, google.Alice), 1)
}

func TestMissingScopeParksTheCall(t *testing.T) {
	t.Parallel()
	c := newConnected(t, gmailapi.GmailReadonlyScope)
	p := c.mail()
	out, err := c.execute(p)
	require.NoError(t, err)
	require.NotNil(t, out.Park)
	require.Equal(t, gmailapi.GmailComposeScope, out.Park.Waiting.Scopes[0], "the least that suffices comes first")
	c.consents(gmailapi.GmailReadonlyScope, gmailapi.GmailComposeScope)
	out, err = c.execute(p)
	require.NoError(t, err)
	require.Equal(t, automation.CallDone, out.State)
}

func TestRefusedMailIsAnAnswer(t *testing.T) {
	t.Parallel()
	c := newConnected(t)
	c.google.Inject(google.DraftSend, 1, google.Fault{Status: 400, Reason: "invalidArgument"})
	p := c.mail()
	out, err := c.execute(p)
	require.NoError(t, err)
	require.Equal(t, automation.CallFailed, out.State)
	require.Equal(t, "Gmail refused it: Bad Request", c.result(p))
}
