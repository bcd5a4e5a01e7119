package tool_test

import (
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/llm"
	"steward/internal/oauth"
	"steward/internal/registry"
	"steward/internal/secret"
	"steward/internal/store"
	"steward/internal/tool"
)

// stage is where hostile models play: one ledger, one executor, one real server, a run for each of them.
type stage struct {
	*fixture

	doc json.RawMessage // the catalogue
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{fixture: newFixture(t, tool.ApproveNever)}
	self, err := os.Executable()
	require.NoError(t, err)
	require.NoError(t, registry.Register(t.Context(), s.db.Queries, s.ring, registry.Server{
		ID: 2, Name: "world", Transport: "stdio", Command: self, Args: []string{s.dir}, Trusted: true,
		Env: map[string]secret.String{serverFolder: secret.New(s.dir), serverKind: secret.New("world")},
	}))
	connections, err := connector.NewConnections(connector.Options{Credentials: &oauth.Service{}})
	require.NoError(t, err)
	s.x, err = tool.NewExecutor(s.db, s.ring, s.reg, connections, slog.New(slog.DiscardHandler), tool.Options{
		Timeout: 30 * time.Second, Addressees: []string{"@team.example", "hooks.example"},
	})
	require.NoError(t, err)
	servers, err := s.reg.Servers(t.Context(), owner, []int64{2})
	require.NoError(t, err)
	s.cat, err = tool.Resolve(t.Context(), s.reg, owner, tool.Sources{Servers: servers}, "")
	require.NoError(t, err)
	s.doc, err = json.Marshal(s.cat)
	require.NoError(t, err)
	_, err = s.db.Pool.Exec(t.Context(), `INSERT INTO credentials (owner, provider, subject, account, scopes, access_sealed, expires_at)
		VALUES ($1, 'google', '1', 'alice@own.example', '{}', 'x', now())`, owner)
	require.NoError(t, err)
	return s
}

// play is one run.
type play struct {
	*stage
	t            *testing.T
	run          *store.AutomationRun
	instructions string
	step         int
}

func (s *stage) play(t *testing.T, approval, instructions string) *play {
	t.Helper()
	p := &play{stage: s, t: t, instructions: instructions}
	var err error
	p.run, err = s.db.InsertRun(t.Context(), store.InsertRunParams{
		Mode: "worker", Connections: []string{}, Owner: owner, Actor: owner, WorkflowID: "run/" + uuid.NewString(), ServerIDs: []int64{2},
		InstructionsSealed: []byte("x"), Approval: approval, Limits: json.RawMessage("{}"), Metadata: json.RawMessage("{}"),
	})
	require.NoError(t, err)
	require.NoError(t, s.db.PutCatalogue(t.Context(), store.PutCatalogueParams{RunID: p.run.ID, Snapshot: s.doc}))
	return p
}

// say is a call as a model writes it.
func say(function, arguments string) llm.Call {
	return llm.Call{CallID: "call_" + uuid.NewString(), Name: "mcp_world__" + function, Arguments: arguments}
}

func (p *play) turnOf(step int) tool.Turn {
	return tool.Turn{Run: p.run, Catalogue: p.cat, Step: step, Stamp: stamp, Instructions: p.instructions}
}

func (p *play) plan(calls ...llm.Call) []automation.PlannedCall {
	p.t.Helper()
	p.step++
	var planned []automation.PlannedCall
	require.NoError(p.t, p.db.Tx(p.t.Context(), func(q *store.Queries) error {
		var err error
		planned, err = p.x.Plan(p.t.Context(), q, p.turnOf(p.step), calls)
		return err
	}))
	return planned
}

// carry does with a planned call what the workflow does, and tries to send what waits for a person as well.
func (p *play) carry(c automation.PlannedCall) {
	p.t.Helper()
	if c.Settled {
		return
	}
	in := automation.CallInput{RunID: p.run.ID, Step: p.step, ID: c.ID, Decision: c.Decision}
	_, err := p.x.Execute(p.t.Context(), in, stamp, nil)
	if c.Decision == "" {
		require.NoError(p.t, err)
		return
	}
	require.Error(p.t, err, "nobody has approved it")
	in.Decision = ""
	_, err = p.x.Execute(p.t.Context(), in, stamp, nil)
	require.Error(p.t, err, "nor can it do without an approval")
}

// read makes the model see a stranger's word and private data.
func (p *play) read(words string) {
	p.t.Helper()
	doc, err := json.Marshal(map[string]string{"stranger_wrote": words})
	require.NoError(p.t, err)
	planned := p.plan(say("read_mail", string(doc)))
	p.carry(planned[0])
	require.Equal(p.t, 1, p.arrived(planned[0]))
}

// readApproved is read in a run that asks for approval of every call.
func (p *play) readApproved() {
	p.t.Helper()
	planned := p.plan(say("read_mail", `{"stranger_wrote":"obey"}`))
	_, err := p.db.Decide(p.t.Context(), store.DecideParams{ID: planned[0].Decision, Owner: owner, Verdict: string(automation.Approve), DecidedBy: owner})
	require.NoError(p.t, err)
	_, err = p.x.Execute(p.t.Context(), automation.CallInput{RunID: p.run.ID, Step: p.step, ID: planned[0].ID, Decision: planned[0].Decision}, stamp, nil)
	require.NoError(p.t, err)
}

// before asks for all calls of a run.
func before(run int64) store.ListCallsBeforeParams {
	return store.ListCallsBeforeParams{RunID: run, BeforeStep: 99}
}

// arrived counts what of a call came to the server.
func (s *stage) arrived(c automation.PlannedCall) int {
	s.t.Helper()
	m, err := filepath.Glob(filepath.Join(s.dir, c.ID+"-*"))
	require.NoError(s.t, err)
	return len(m)
}

// judged is what the audit chain says of a call's judgement.
type judged struct {
	Kind    string
	Call    string
	Waits   bool
	Reason  string
	Rules   []tool.Code
	Tainted []string
	Unknown int `json:"unknown_addressees"`
	Flagged string
}

func (p *play) judged(c automation.PlannedCall) (plan judged, asked string) {
	p.t.Helper()
	events, err := p.db.ListAudit(p.t.Context(), store.ListAuditParams{Chain: automation.AuditChain(p.run.ID), PageSize: 1000})
	require.NoError(p.t, err)
	for _, e := range events {
		var b judged
		require.NoError(p.t, json.Unmarshal([]byte(e.Body), &b))
		switch {
		case b.Call != c.ID:
		case e.Kind == "tool.planned" || e.Kind == "tool.refused":
			b.Kind = e.Kind
			plan = b
		case e.Kind == "decision.asked":
			asked = b.Reason
		}
	}
	return plan, asked
}
