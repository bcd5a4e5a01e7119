package tool_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/egress"
	"steward/internal/fault"
	"steward/internal/oauth"
	"steward/internal/registry"
	"steward/internal/tool"
	"steward/internal/vault"
)

// newOlder is a partner of before 2026-07-28: it asks in the middle of the call, and holds it open meanwhile. sent
// counts the calls that came.
func newOlder(t *testing.T) (p *partner, sent *atomic.Int32) {
	t.Helper()
	p = newPartner(t, nil)
	sent = &atomic.Int32{}
	server := mcp.NewServer(&mcp.Implementation{Name: "older", Version: "1"}, nil)
	handle := func(ctx context.Context, r *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		sent.Add(1)
		a, err := r.Session.Elicit(ctx, &mcp.ElicitParams{
			Message:         "Which seat?\x1b[31m",
			RequestedSchema: json.RawMessage(`{"type":"object","properties":{"seat":{"type":"string"}},"required":["seat"]}`),
		})
		if err != nil {
			return nil, err
		}
		text, err := json.Marshal(a)
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: string(text)}}}, err
	}
	form := json.RawMessage(`{"type":"object","properties":{"seat":{"type":"string"}}}`)
	server.AddTool(&mcp.Tool{Name: "book", InputSchema: form}, handle)
	server.AddTool(&mcp.Tool{Name: "look", InputSchema: form, Annotations: &mcp.ToolAnnotations{ReadOnlyHint: true}}, handle)
	remote := httptest.NewServer(mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, nil))
	kept, err := vault.New(p.db, p.ring)
	require.NoError(t, err)
	p.reg, err = registry.New(p.db, p.ring, &oauth.Service{}, kept, egress.New(egress.Rules{Everybody: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}),
		registry.Options{}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(remote.Close)
	t.Cleanup(func() { require.NoError(t, p.reg.Close(context.WithoutCancel(t.Context()))) })
	require.NoError(t, registry.Register(t.Context(), p.db.Queries, p.ring, registry.Server{
		ID: partnerID, Name: "partner", Transport: "http", URL: remote.URL, Trusted: true,
	}))
	connections, err := connector.NewConnections(connector.Options{Credentials: &oauth.Service{}})
	require.NoError(t, err)
	p.x, err = tool.NewExecutor(p.db, p.ring, p.reg, connections, slog.New(slog.DiscardHandler), tool.Options{Timeout: 1500 * time.Millisecond, Expiry: time.Hour})
	require.NoError(t, err)
	_, err = p.db.Pool.Exec(t.Context(), "DELETE FROM server_tools; UPDATE automation_runs SET workflow_id = 'run/newer' WHERE workflow_id = 'run/partner'")
	require.NoError(t, err)
	p.newPartnerRun()
	return p, sent
}

// calling is an attempt under way.
type calling struct {
	out automation.CallResult
	err error
}

func (p *partner) start(ctx context.Context, c automation.PlannedCall) <-chan calling {
	done := make(chan calling, 1)
	go func() {
		out, err := p.x.Execute(ctx, p.input(c), stamp, nil)
		done <- calling{out, err}
	}()
	return done
}

// asked waits until a question about the call is open.
func (p *partner) asked(c automation.PlannedCall) {
	p.t.Helper()
	require.Eventually(p.t, func() bool {
		_, err := p.db.OpenDecision(p.t.Context(), c.ID)
		return err == nil
	}, 10*time.Second, 20*time.Millisecond)
}

func TestServerAsksInMidCall(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		tool    string
		verdict automation.Verdict
		want    string
	}{
		"effect, answered": {"book", automation.Answer, `{"action":"accept","content":{"seat":"1A"}}`},
		"read, answered":   {"look", automation.Answer, `{"action":"accept","content":{"seat":"1A"}}`},
		"declined":         {"book", automation.Decline, `{"action":"decline"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, sent := newOlder(t)
			c := p.begin(tc.tool)
			done := p.start(t.Context(), c)
			p.asked(c)
			require.Equal(t, "waiting_for_decision", p.state())
			require.Equal(t, "claimed", p.row(c).State, "its session is held open")
			require.Equal(t, "Which seat?", p.question(c).Message, "what a terminal would obey is gone")
			require.Greater(t, time.Until(*p.row(c).LeaseUntil), 4*time.Minute)
			select { // longer than the call has
			case <-done:
				require.Fail(t, "the call's time ran while a person was asked")
			case <-time.After(2 * time.Second):
			}
			p.says(c, tc.verdict, `{"seat":"1A"}`)
			r := <-done
			require.NoError(t, r.err)
			require.Equal(t, automation.CallDone, r.out.State)
			require.JSONEq(t, tc.want, p.result(c))
			require.Equal(t, "running", p.state())
			require.EqualValues(t, 1, sent.Load())
		})
	}
}

// The attempt ends while a person is asked: the question ends with it, and an effect is not made again.
func TestAttemptEndsInMidCall(t *testing.T) {
	t.Parallel()
	p, sent := newOlder(t)
	c := p.begin("book")
	ctx, cancel := context.WithCancel(t.Context())
	done := p.start(ctx, c)
	p.asked(c)
	cancel()
	r := <-done
	require.NoError(t, r.err)
	require.Contains(t, []automation.CallState{automation.CallUnknown, automation.CallDone}, r.out.State)
	var open int
	require.NoError(t, p.db.Pool.QueryRow(t.Context(), "SELECT count(*) FROM decisions WHERE kind = 'input' AND verdict = ''").Scan(&open))
	require.Zero(t, open)
	require.EqualValues(t, 1, sent.Load())
}

// A worker dies while a person is asked. The next attempt asks about the outcome, not the old question.
func TestWorkerDiesInMidCall(t *testing.T) {
	t.Parallel()
	p, _ := newOlder(t)
	c := p.begin("book")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := p.start(ctx, c)
	p.asked(c)
	in := p.input(c)
	in.Seq = 100
	out, err := p.executor().Execute(t.Context(), in, tool.Stamp{TemporalRunID: "t1", ActivityID: "1", Attempt: 2}, nil)
	require.NoError(t, err)
	require.Equal(t, automation.CallUnknown, out.State)
	q, err := p.db.OpenDecision(t.Context(), c.ID)
	require.NoError(t, err)
	require.Equal(t, "unknown", q.Kind)
	require.Equal(t, out.Decision, q.ID)
	r := <-done // its question was closed, and its answer comes too late
	require.Equal(t, "claim_lost", fault.CodeOf(r.err), "%v", r)
	require.Equal(t, "unknown", p.row(c).State)
}
