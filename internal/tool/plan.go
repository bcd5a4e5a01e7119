package tool

import (
	"context"
	"encoding/json"
	"fmt"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/llm"
	"steward/internal/secret"
	"steward/internal/store"
)

// previewBytes caps the redacted arguments shown in lists and audit events.
const previewBytes = 2048

// Turn is what the model's calls are judged against.
type Turn struct {
	Run       *store.AutomationRun
	Catalogue Catalogue
	Step      int
	Stamp     Stamp
	// Instructions are the owner's own words: what they name is known, whatever a tool says.
	Instructions string
}

// Plan validates the calls of one turn, applies policy and writes them in the ledger, together with the
// questions to a person that policy demands. It runs in the transaction that records the turn. A call
// that cannot be made is written as failed, with an answer from which the model can learn.
func (x *Executor) Plan(ctx context.Context, q *store.Queries, t Turn, calls []llm.Call) ([]automation.PlannedCall, error) {
	planned := make([]automation.PlannedCall, 0, len(calls))
	seen := map[string]bool{}
	for i, c := range calls {
		if seen[c.CallID] { // a model that repeats an id within one turn gets one call and one answer
			continue
		}
		seen[c.CallID] = true
		p, err := x.planOne(ctx, q, t, i, c)
		if err != nil {
			return nil, err
		}
		planned = append(planned, p)
	}
	return planned, nil
}

func (x *Executor) planOne(ctx context.Context, q *store.Queries, t Turn, position int, c llm.Call) (automation.PlannedCall, error) {
	tool, found := t.Catalogue.Find(c.Name)
	row := store.InsertCallParams{
		ID: newID("call_"), RunID: t.Run.ID, Owner: t.Run.Owner, Step: int32(t.Step), Position: int32(position), //nolint:gosec // bounded by limits
		CallID: c.CallID, FunctionName: Clean(c.Name, 128), ServerName: tool.ServerName, ToolName: tool.Name, Class: string(tool.Class),
		Pin: tool.Pin, State: string(automation.CallPlanned), ArgumentsPreview: json.RawMessage("{}"),
	}
	if !found {
		row.ToolName, row.Class = row.FunctionName, string(automation.Read)
		return x.refuse(ctx, q, t, row, fault.New(fault.Invalid, "there is no tool of this name: use one of those offered"))
	}
	row.Connection = tool.Connection
	if tool.Connection == "" {
		row.ServerID = &tool.Server
	}
	canonical, err := x.schemas.arguments(tool, c.Arguments)
	if err != nil {
		return x.refuse(ctx, q, t, row, err)
	}
	row.Digest = secret.Digest(canonical)
	row.ArgumentsPreview = x.patterns.Preview(canonical, previewBytes)
	ask, why := needsPerson(t.Run.Approval, tool)
	if tool.Class != automation.Read && !ask {
		if ask, err = q.WasMadeBeforeReset(ctx, store.WasMadeBeforeResetParams{
			RunID: row.RunID, FunctionName: row.FunctionName, Digest: row.Digest,
		}); err != nil {
			return automation.PlannedCall{}, fmt.Errorf("look for the call before a reset: %w", err)
		}
		why = "the run was reset, and the same call was made before: it would happen twice"
	}
	if ask {
		row.State = string(automation.CallWaiting)
	}
	if row.ArgumentsSealed, err = x.ring.Seal(ArgumentsBinding(row.Owner, row.ID), canonical); err != nil {
		return automation.PlannedCall{}, err
	}
	got, err := q.InsertCall(ctx, row)
	if err != nil {
		return automation.PlannedCall{}, fmt.Errorf("plan call: %w", err)
	}
	out := automation.PlannedCall{ID: got.ID, Tool: tool.Label(), Class: tool.Class}
	if !got.Inserted {
		return x.adopt(ctx, q, t, row, got, out)
	}
	err = x.audit(ctx, q, t.Run.ID, t.Stamp, audit.ToolPlanned, got.ID+"/planned", planBody{
		Stamp: t.Stamp, Call: got.ID, Step: t.Step, Tool: tool.Label(), Class: tool.Class, Arguments: row.ArgumentsPreview, Digest: row.Digest, Waits: ask,
	})
	if err == nil && ask {
		out.Decision, err = x.ask(ctx, q, question{
			runID: t.Run.ID, owner: t.Run.Owner, step: t.Step, stamp: t.Stamp, call: got.ID, tool: tool.Label(),
			digest: row.Digest, pin: row.Pin, kind: automation.AskApproval, reason: why,
		})
	}
	return out, err
}

type planBody struct {
	Stamp
	Call      string           `json:"call"`
	Step      int              `json:"step"`
	Tool      string           `json:"tool"`
	Class     automation.Class `json:"class"`
	Arguments json.RawMessage  `json:"arguments,omitempty"`
	Digest    string           `json:"digest,omitempty"`
	Waits     bool             `json:"waits,omitempty"`
	Reason    string           `json:"reason,omitempty"`
}

// refuse records a call that is never sent; the refusal is its answer.
func (x *Executor) refuse(ctx context.Context, q *store.Queries, t Turn, row store.InsertCallParams, why error) (automation.PlannedCall, error) {
	reason := Clean(fault.Text(why), 1000)
	row.State, row.IsError, row.Reason = string(automation.CallFailed), true, reason
	if row.Class == "" {
		row.Class = string(automation.Effect)
	}
	var err error
	if row.ArgumentsSealed, err = x.ring.Seal(ArgumentsBinding(row.Owner, row.ID), []byte("{}")); err != nil {
		return automation.PlannedCall{}, err
	}
	if row.ResultSealed, err = x.ring.Seal(ResultBinding(row.Owner, row.ID), []byte(reason)); err != nil {
		return automation.PlannedCall{}, err
	}
	row.ResultBytes = int64(len(reason))
	got, err := q.InsertCall(ctx, row)
	if err != nil {
		return automation.PlannedCall{}, fmt.Errorf("record refused call: %w", err)
	}
	label := row.ServerName + "/" + row.ToolName
	err = x.audit(ctx, q, t.Run.ID, t.Stamp, audit.ToolRefused, got.ID+"/refused", planBody{
		Stamp: t.Stamp, Call: got.ID, Step: t.Step, Tool: label, Class: automation.Class(row.Class), Reason: reason,
	})
	return automation.PlannedCall{ID: got.ID, Tool: label, Class: automation.Class(row.Class), Settled: true}, err
}

// adopt takes over a call that the ledger had before a Reset: what happened to it stands.
func (x *Executor) adopt(ctx context.Context, q *store.Queries, t Turn, row store.InsertCallParams, got *store.InsertCallRow, out automation.PlannedCall) (automation.PlannedCall, error) {
	if got.Digest != row.Digest {
		return out, fault.New(fault.Internal, "the model used the id of an earlier call for another one").WithCode("call_id_reused")
	}
	out.Settled = automation.CallState(got.State).Settled()
	if automation.CallState(got.State) != automation.CallWaiting {
		return out, nil
	}
	open, err := q.OpenDecision(ctx, got.ID)
	if store.IsNoRows(err) { // decided on the old branch: an effect is not fired again without a fresh approval
		out.Decision, err = x.ask(ctx, q, question{
			runID: t.Run.ID, owner: t.Run.Owner, step: t.Step, stamp: t.Stamp, call: got.ID, tool: out.Tool,
			digest: row.Digest, pin: row.Pin, kind: automation.AskApproval,
			reason: "the run was reset: an earlier approval does not count any more",
		})
		return out, err
	}
	if err != nil {
		return out, fmt.Errorf("read open question: %w", err)
	}
	out.Decision = open.ID
	return out, nil
}
