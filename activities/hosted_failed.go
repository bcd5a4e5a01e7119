package activities

import (
	"context"
	"fmt"
	"net/http"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/llm"
	"steward/internal/store"
	"steward/internal/tool"
)

// hostedFailed deals with a request that brought no answer. If it provably did nothing, because it never left or
// was refused, its approvals are taken back; otherwise the provider may have made the calls, and hostedUncertain
// will find them. When a server did not take the owner's token, that is renewed once, and again says that the
// request may be sent once more. Otherwise it returns why, in words that name the server.
func (r *Run) hostedFailed(ctx context.Context, a *attempt, t *transcript, why error, left bool) (again bool, told error) {
	e := asModelError(why)
	refused := e != nil && e.Status >= 400 && e.Status < 500 && e.Status != http.StatusRequestTimeout
	if refused || !left {
		err := r.keep(ctx, func(ctx context.Context, q *store.Queries) error {
			return q.UncarryHosted(ctx, store.UncarryHostedParams{RunID: a.in.RunID, Request: a.carrier()})
		})
		if err != nil {
			return false, fmt.Errorf("take approvals back: %w", err)
		}
	}
	if e == nil || e.Code != llm.CodeConnector {
		return false, why
	}
	own := *e
	own.Message = "the model's provider could not use the server " + t.hosting.named(e.Server)
	if e.Inner == http.StatusUnauthorized {
		if lent := t.hosting.lent[e.Server]; lent.access.Credential != 0 && !a.renewed {
			a.renewed = true
			_, err := r.registry.Renew(ctx, t.run.Owner, lent.row, lent.access)
			return err == nil, err
		}
		own.Message, own.Retryable = own.Message+": it does not accept the credential", false
	}
	own.Retryable = own.Retryable && a.stamp.Attempt < maxUpstream
	return false, &own
}

// hostedLost deals with a response in the background that failed because the provider could not use a server.
// Its approvals stay with it: whether it made their calls before it failed is not known.
func (r *Run) hostedLost(ctx context.Context, a *attempt, why error) (automation.PlanResult, error) {
	t, err := r.transcript(ctx, a.in)
	if err != nil {
		return automation.PlanResult{}, err
	}
	if t.hosting, err = r.offer(ctx, t, &llm.Request{}); err != nil {
		return automation.PlanResult{}, err
	}
	again, told := r.hostedFailed(ctx, a, t, why, true)
	if !again {
		return automation.PlanResult{}, told
	}
	return r.ask(ctx, a)
}

// hostedUncertain finds that an earlier request, which allowed the provider an effect, never had an answer: it
// must not be sent again. It returns the turn in which SettleCall asks a person about it, nil if there is nothing
// to ask.
func (r *Run) hostedUncertain(ctx context.Context, in automation.PlanInput, s tool.Stamp, t *transcript) (*automation.PlanResult, error) {
	if !t.hosted() {
		return nil, nil
	}
	asked, err := r.db.ListHostedQuestions(ctx, in.RunID)
	if err != nil {
		return nil, fmt.Errorf("read hosted questions: %w", err)
	}
	out := &automation.PlanResult{}
	for _, row := range asked {
		class := automation.Class(row.Class)
		if class == automation.Read || row.Receipt == "" || automation.CallState(row.State) != automation.CallClaimed {
			continue
		}
		out.Calls = append(out.Calls, automation.PlannedCall{ID: row.ID, Tool: row.ServerName + "/" + row.ToolName, Class: class, Hosted: true})
	}
	if len(out.Calls) == 0 {
		return nil, nil
	}
	return out, r.audit(ctx, r.db.Queries, in.RunID, s, audit.ModelRefused, fmt.Sprintf("%d/%s", in.Step, s.ActivityID), modelBody{
		Stamp: s, Step: in.Step, Provider: r.model.Provider(), Model: t.run.Model, Calls: len(out.Calls), Code: "outcome_unknown",
		Reason: "a request that let the provider make these calls never had an answer: it is not sent again",
	})
}
