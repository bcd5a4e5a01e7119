package activities

import (
	"context"
	"encoding/json"
	"fmt"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/llm"
	"steward/internal/store"
	"steward/internal/tool"
)

// hostedRequest lets the provider use the run's MCP servers itself: it names them in the request, and answers
// what the provider has asked since. Function tools are not offered beside them. The error is an
// *oauth.ConsentError when a server wants a credential that the owner has not given.
func (r *Run) hostedRequest(ctx context.Context, t *transcript, req *llm.Request) error {
	req.Tools = nil
	h, err := r.offer(ctx, t, req)
	if err != nil {
		return err
	}
	if req.Input, h.news, err = r.hostedAnswers(ctx, t, req.Input); err != nil {
		return err
	}
	t.hosting = h
	return nil
}

// hostedAnswers adds what people have answered to the provider's questions.
func (r *Run) hostedAnswers(ctx context.Context, t *transcript, items []json.RawMessage) ([]json.RawMessage, []*store.ToolCall, error) {
	if !t.hosted() {
		return items, nil, nil
	}
	asked, err := r.db.ListHostedQuestions(ctx, t.run.ID)
	if err != nil {
		return nil, nil, fmt.Errorf("read hosted questions: %w", err)
	}
	input, news := hostedInput(items, asked)
	return input, news, nil
}

// hostedIntent writes down what the request allows, in the transaction of the intent: an approval leaves with one
// request and no other.
func (r *Run) hostedIntent(ctx context.Context, q *store.Queries, a *attempt, t *transcript) error {
	ids := callIDs(t.hosting.news)
	if len(ids) > 0 {
		n, err := q.CarryHosted(ctx, store.CarryHostedParams{RunID: a.in.RunID, Ids: ids, Request: a.carrier()})
		if err != nil {
			return fmt.Errorf("pass approvals on: %w", err)
		}
		if n != int64(len(ids)) {
			return fault.New(fault.Conflict, "another attempt has passed the approvals on").WithCode("claim_lost")
		}
	}
	return r.audit(ctx, q, a.in.RunID, a.stamp, audit.HostedOffered, a.key(), struct {
		tool.Stamp
		Step    int       `json:"step"`
		Servers []offered `json:"servers"`
		Calls   []string  `json:"approved_calls,omitempty"`
	}{a.stamp, a.in.Step, t.hosting.offers, ids})
}

// carrier names the request that approvals leave with.
func (a *attempt) carrier() string { return a.stamp.TemporalRunID + "/" + a.key() }

// recordHosted writes what the provider reports to have done, and the questions it asks, in the transaction that
// records the turn.
func (r *Run) recordHosted(ctx context.Context, q *store.Queries, t tool.Turn, res *llm.Response) (tool.HostedTurn, error) {
	return r.executor.RecordHosted(ctx, q, t, res.Hosted)
}

// judgeHosted corrects how a turn ends the run by what the provider did in it: what it was not allowed to do ends
// the run, and what a person must still decide keeps it going, whatever the last words say.
func judgeHosted(made tool.HostedTurn, f automation.Final) automation.Final {
	open := len(made.Calls) > 0 && (f.State == automation.Success || f.Code == codeRefused)
	switch {
	case made.Failed.State != "":
		return made.Failed
	case open, made.Made && f.Code == codeEmpty:
		return automation.Final{}
	}
	return f
}
