package tool_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"steward/internal/automation"
	"steward/internal/egress"
	"steward/internal/llm"
	"steward/internal/oauth"
	"steward/internal/registry"
	"steward/internal/store"
	"steward/internal/tool"
	"steward/internal/vault"
)

// partner is a remote server of 2026-07-28 that answers calls as a test says: with results, questions or tasks.
type partner struct {
	*fixture
	remote *httptest.Server

	mu     sync.Mutex
	got    []ask
	answer func(p *partner, a ask) string // a result, or an error that begins with "!"
	desc   string                         // of its tools
}

// ask is one request as it came.
type ask struct {
	Method string
	Params struct {
		Name           string                     `json:"name"`
		Arguments      map[string]any             `json:"arguments"`
		TaskID         string                     `json:"taskId"`
		InputResponses map[string]json.RawMessage `json:"inputResponses"`
		RequestState   string                     `json:"requestState"`
	}
}

const partnerID = 3

func newPartner(t *testing.T, answer func(*partner, ask) string) *partner {
	t.Helper()
	p := &partner{fixture: newFixture(t, tool.ApproveNever), answer: answer, desc: "Books a seat"}
	p.remote = httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(p.remote.Close)
	kept, err := vault.New(p.db, p.ring)
	require.NoError(t, err)
	loopback := egress.New(egress.Rules{Everybody: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	reg, err := registry.New(p.db, p.ring, &oauth.Service{}, kept, loopback, registry.Options{}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, reg.Close(context.WithoutCancel(t.Context()))) })
	p.reg = reg
	require.NoError(t, registry.Register(t.Context(), p.db.Queries, p.ring, registry.Server{
		ID: partnerID, Name: "partner", Transport: "http", URL: p.remote.URL, Trusted: true,
	}))
	p.x = p.executor()
	p.newPartnerRun()
	return p
}

// tools are listed anew for each request: their description may change.
func (p *partner) tools() *mcp.Server {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := mcp.NewServer(&mcp.Implementation{Name: "partner", Version: "1"}, nil)
	form := json.RawMessage(`{"type":"object","properties":{"seat":{"type":"string"}}}`)
	nothing := func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return &mcp.CallToolResult{}, nil
	}
	s.AddTool(&mcp.Tool{Name: "book", Description: p.desc, InputSchema: form}, nothing)
	s.AddTool(&mcp.Tool{Name: "look", Description: p.desc, InputSchema: form, Annotations: &mcp.ToolAnnotations{ReadOnlyHint: true}}, nothing)
	return s
}

func (p *partner) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	var in struct {
		ask
		ID json.RawMessage `json:"id"`
	}
	_ = json.Unmarshal(body, &in)
	switch in.Method {
	case "tools/call", "tasks/get", "tasks/update", "tasks/cancel":
	default:
		r.Body = io.NopCloser(bytes.NewReader(body))
		mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return p.tools() }, &mcp.StreamableHTTPOptions{Stateless: true}).ServeHTTP(w, r)
		return
	}
	p.mu.Lock()
	p.got = append(p.got, in.ask)
	p.mu.Unlock()
	member, text := "result", p.answer(p, in.ask)
	if text != "" && text[0] == '!' {
		member, text = "error", text[1:]
	}
	if text == "" { // the connection breaks
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,%q:%s}`, in.ID, member, text)
}

// count says how many requests of a method came.
func (p *partner) count(method string) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range p.got {
		if a.Method == method {
			n++
		}
	}
	return n
}

func (p *partner) last() ask {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.got[len(p.got)-1]
}

func (p *partner) newPartnerRun() {
	ctx := p.t.Context()
	var err error
	p.run, err = p.db.InsertRun(ctx, store.InsertRunParams{
		Mode: "worker", Connections: []string{}, Owner: owner, Actor: owner, WorkflowID: "run/partner", ServerIDs: []int64{partnerID},
		InstructionsSealed: []byte("x"), Approval: tool.ApproveNever, Limits: json.RawMessage("{}"), Metadata: json.RawMessage("{}"),
	})
	require.NoError(p.t, err)
	servers, err := p.reg.Servers(ctx, owner, []int64{partnerID})
	require.NoError(p.t, err)
	p.cat, err = tool.Resolve(ctx, p.reg, owner, tool.Sources{Servers: servers}, "")
	require.NoError(p.t, err)
	doc, err := json.Marshal(p.cat)
	require.NoError(p.t, err)
	require.NoError(p.t, p.db.PutCatalogue(ctx, store.PutCatalogueParams{RunID: p.run.ID, Snapshot: doc}))
}

// begin plans a call.
func (p *partner) begin(name string) automation.PlannedCall {
	p.t.Helper()
	p.step++
	var planned []automation.PlannedCall
	require.NoError(p.t, p.db.Tx(p.t.Context(), func(q *store.Queries) error {
		var err error
		planned, err = p.x.Plan(p.t.Context(), q, tool.Turn{Run: p.run, Catalogue: p.cat, Step: p.step, Stamp: stamp},
			[]llm.Call{{CallID: "call-" + name, Name: "mcp_partner__" + name, Arguments: `{"seat":"any"}`}})
		return err
	}))
	require.Len(p.t, planned, 1)
	require.Zero(p.t, planned[0].Session, "any worker can call it")
	return planned[0]
}

// attempt is one activity: the how many-th of the call, with what a person said.
func (p *partner) attempt(c automation.PlannedCall, n int64, decision string, v automation.Verdict) (automation.CallResult, error) {
	in := p.input(c)
	in.Seq, in.Decision, in.Verdict = in.Seq+2*n, decision, v
	return p.x.Execute(p.t.Context(), in, tool.Stamp{TemporalRunID: "t1", ActivityID: fmt.Sprint(n), Attempt: 1}, nil)
}

// says answers the open question the way the API does.
func (p *partner) says(c automation.PlannedCall, v automation.Verdict, content string) string {
	p.t.Helper()
	q, err := p.db.OpenDecision(p.t.Context(), c.ID)
	require.NoError(p.t, err)
	require.Equal(p.t, "input", q.Kind)
	in := store.DecideParams{ID: q.ID, Owner: owner, Verdict: string(v), DecidedBy: owner}
	if v == automation.Answer {
		in.AnswerSealed, err = p.x.CheckAnswer(q, json.RawMessage(content))
		require.NoError(p.t, err)
	}
	_, err = p.db.Decide(p.t.Context(), in)
	require.NoError(p.t, err)
	return q.ID
}

// question is what a person sees.
func (p *partner) question(c automation.PlannedCall) tool.Input {
	p.t.Helper()
	q, err := p.db.OpenDecision(p.t.Context(), c.ID)
	require.NoError(p.t, err)
	in, err := tool.OpenInput(p.ring, q)
	require.NoError(p.t, err)
	return in
}

func (p *partner) state() string {
	p.t.Helper()
	row, err := p.db.GetRunForWorker(p.t.Context(), p.run.ID)
	require.NoError(p.t, err)
	return row.State
}

// seat is a question, asked under a name.
func seat(name string) string {
	return fmt.Sprintf(`%q:{"method":"elicitation/create","params":{"message":"Which seat, %s?","requestedSchema":{"type":"object","properties":{"seat":{"type":"string","maxLength":3}},"required":["seat"]}}}`, name, name)
}

const booked = `{"resultType":"complete","content":[{"type":"text","text":"booked"}]}`
