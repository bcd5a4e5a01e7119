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

// row is what every hosted call of this answer has in common.
func (b *hostedBook) row(position int, t Tool, it llm.HostedItem) store.InsertHostedCallParams {
	row := store.InsertHostedCallParams{
		ID: newID("call_"), RunID: b.turn.Run.ID, Owner: b.turn.Run.Owner, Step: int32(b.turn.Step), Position: int32(position), //nolint:gosec // bounded by limits and by the size of an answer
		CallID: it.ID, FunctionName: t.Function, ServerName: t.ServerName, ToolName: t.Name, Class: string(t.Class), Pin: t.Pin,
		ArgumentsPreview: json.RawMessage("{}"),
	}
	if t.Server != 0 {
		row.ServerID = &t.Server
	}
	return row
}

// question writes a call that the provider asks about, and asks a person.
func (b *hostedBook) question(ctx context.Context, position int, it llm.HostedItem) error {
	b.out.Asked = true
	t := b.tool(it)
	row := b.row(position, t, it)
	row.ProviderRequest = it.ID
	switch b.questions++; {
	case b.out.Failed.State != "":
		return b.refuse(ctx, t, it, row, fault.New(fault.Forbidden, "%s", b.out.Failed.Message))
	case b.questions > maxCalls:
		return b.refuse(ctx, t, it, row, fault.New(fault.Invalid, "only the first %d calls of one turn are made: ask again for those that are still needed", maxCalls))
	}
	canonical, err := b.x.schemas.arguments(t, it.Arguments)
	if err != nil {
		return b.refuse(ctx, t, it, row, err)
	}
	row.State, row.Digest = string(automation.CallWaiting), secret.Digest(canonical)
	row.ArgumentsPreview = b.x.patterns.Preview(canonical, previewBytes)
	if row.ArgumentsSealed, err = b.x.ring.Seal(ArgumentsBinding(row.Owner, row.ID), canonical); err != nil {
		return err
	}
	why, err := b.why(ctx, row)
	if err != nil {
		return err
	}
	got, err := b.q.InsertHostedCall(ctx, row)
	if err != nil {
		return fmt.Errorf("plan hosted call: %w", err)
	}
	if got.Digest != row.Digest { // a Reset's new branch, and another call under the old id
		return fault.New(fault.Internal, "the model's provider used the id of an earlier question for another one").WithCode("call_id_reused")
	}
	planned := automation.PlannedCall{ID: got.ID, Tool: t.Label(), Class: t.Class, Hosted: true}
	if got.Inserted {
		body := hostedBody{Call: got.ID, State: automation.CallWaiting, Digest: row.Digest, Arguments: row.ArgumentsPreview, Question: it.ID}
		if err := b.audit(ctx, audit.ToolPlanned, got.ID+"/planned", t, it, body); err != nil {
			return err
		}
	}
	if automation.CallState(got.State) == automation.CallWaiting {
		planned.Decision, err = b.x.ask(ctx, b.q, question{
			runID: row.RunID, owner: row.Owner, step: b.turn.Step, stamp: b.turn.Stamp, call: got.ID, tool: t.Label(),
			digest: row.Digest, pin: row.Pin, kind: automation.AskApproval, reason: why.Text, explanation: Explanation{Rules: []Rule{why}},
		})
	}
	if !automation.CallState(got.State).Settled() {
		b.out.Calls = append(b.out.Calls, planned)
	}
	return err
}

// why tells the person what the question is about.
func (b *hostedBook) why(ctx context.Context, row store.InsertHostedCallParams) (Rule, error) {
	twice, err := b.q.MayHappenTwice(ctx, store.MayHappenTwiceParams{RunID: row.RunID, FunctionName: row.FunctionName, Digest: row.Digest})
	switch {
	case err != nil:
		return Rule{}, fmt.Errorf("look for the same call: %w", err)
	case twice:
		return Rule{RuleReset, "the same call was made before, or may have been: it would happen twice"}, nil
	case b.turn.Run.Approval == ApproveAlways:
		return Rule{RuleAlways, "the run asks for approval of every call"}, nil
	}
	return Rule{RulePolicy, "the model's provider makes this call itself, where nothing can be checked in between, and the tool is not known to be read-only"}, nil
}

// refuse records a question that is answered with no; the reason goes to the model.
func (b *hostedBook) refuse(ctx context.Context, t Tool, it llm.HostedItem, row store.InsertHostedCallParams, why error) error {
	canonical := canonicalOrText(it.Arguments)
	row.State, row.IsError, row.Reason = string(automation.CallFailed), true, Clean(fault.Text(why), 1000)
	row.Digest, row.ArgumentsPreview = secret.Digest(canonical), b.x.patterns.Preview(canonical, previewBytes)
	var err error
	if row.ArgumentsSealed, err = b.x.ring.Seal(ArgumentsBinding(row.Owner, row.ID), canonical); err != nil {
		return err
	}
	got, err := b.q.InsertHostedCall(ctx, row)
	if err != nil {
		return fmt.Errorf("record refused hosted call: %w", err)
	}
	return b.audit(ctx, audit.ToolRefused, got.ID+"/refused", t, it, hostedBody{
		Call: got.ID, State: automation.CallFailed, IsError: true, Digest: row.Digest, Arguments: row.ArgumentsPreview,
		Reason: Clean(row.Reason, 300), Question: it.ID,
	})
}
