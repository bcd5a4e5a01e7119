package tool

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/llm"
	"steward/internal/secret"
	"steward/internal/store"
)

// outcomeOf judges one reported call by its own error and status: an answer that is complete may hold calls that
// failed. Only an answer of the server's is a failure; what got none may have taken effect, unless it only reads.
func outcomeOf(class automation.Class, it llm.HostedItem) answer {
	a := answer{state: automation.CallDone, text: it.Output}
	switch {
	case it.Failure == "" && it.FailureText == "" && (it.Status == "completed" || it.Status == ""):
		return a
	case it.Failure == "mcp_tool_execution_error", it.Failure == "mcp_protocol_error", refused(it):
		a.state, a.isError = automation.CallFailed, true
	case class == automation.Read:
		a.state, a.isError = automation.CallFailed, true
	default:
		a.state, a.isError = automation.CallUnknown, true
	}
	if a.text == "" {
		a.text = it.FailureText
	}
	if a.text == "" {
		a.text = "the model's provider reports no result of the call"
	}
	return a
}

// refused says that the server turned the call away before it did anything.
func refused(it llm.HostedItem) bool {
	return it.Failure == "http_error" && it.FailureStatus >= 400 && it.FailureStatus < 500 && it.FailureStatus != http.StatusRequestTimeout
}

// withhold removes the server's own secrets, which a careless server prints into its answer.
func (b *hostedBook) withhold(ctx context.Context, t Tool, text string) (string, error) {
	if t.Server == 0 {
		return b.x.patterns.Text(text), nil
	}
	row, err := b.q.GetServer(ctx, store.GetServerParams{ID: t.Server, Owner: b.turn.Run.Owner})
	if store.IsNoRows(err) {
		return b.x.patterns.Text(text), nil
	}
	if err != nil {
		return "", fmt.Errorf("read server: %w", err)
	}
	redactor, err := b.x.reg.Redactor(row)
	if err != nil {
		return "the result is withheld: the server's secrets could not be read to remove them from it", nil //nolint:nilerr // told in its place
	}
	return redactor.Text(text), nil
}

// insert writes a call that the provider made without asking.
func (b *hostedBook) insert(ctx context.Context, position int, t Tool, it llm.HostedItem, canonical []byte, digest string) error {
	row := b.row(position, t, it)
	a := outcomeOf(t.Class, it)
	var err error
	if a.text, err = b.withhold(ctx, t, a.text); err != nil {
		return err
	}
	row.State, row.IsError, row.Digest, row.Receipt = string(a.state), a.isError, digest, it.ID
	row.Reason, row.ResultBytes, row.ResultDigest = Clean(b.x.reasonOf(a), 1000), int64(len(a.text)), secret.Digest([]byte(a.text))
	row.ArgumentsPreview = b.x.patterns.Preview(canonical, previewBytes)
	if row.ArgumentsSealed, err = b.x.ring.Seal(ArgumentsBinding(row.Owner, row.ID), canonical); err != nil {
		return err
	}
	if row.ResultSealed, err = b.x.ring.Seal(ResultBinding(row.Owner, row.ID), []byte(a.text)); err != nil {
		return err
	}
	got, err := b.q.InsertHostedCall(ctx, row)
	if err != nil {
		return fmt.Errorf("record hosted call: %w", err)
	}
	return b.tell(ctx, t, it, hostedBody{
		Call: got.ID, State: a.state, IsError: a.isError, Bytes: row.ResultBytes,
		Digest: digest, Result: row.ResultDigest, Reason: Clean(b.x.reasonOf(a), 300), Arguments: row.ArgumentsPreview,
	})
}

// settle ends a call that a person had approved.
func (b *hostedBook) settle(ctx context.Context, row *store.ToolCall, t Tool, it llm.HostedItem) error {
	a := outcomeOf(t.Class, it)
	var err error
	if a.text, err = b.withhold(ctx, t, a.text); err != nil {
		return err
	}
	return b.end(ctx, row, t, it, a)
}

// missing ends the approved calls that the provider was sent and says nothing of. Whether it made them is not
// known: a person is asked before the run goes on.
func (b *hostedBook) missing(ctx context.Context) error {
	for _, row := range b.asked {
		t, _ := b.turn.Catalogue.Find(row.FunctionName)
		sent := row.Receipt != "" || t.Class == automation.Read
		if automation.CallState(row.State) != automation.CallClaimed || int(row.Step) >= b.turn.Step || !sent {
			continue
		}
		a := answer{state: automation.CallUnknown, text: "the model's provider does not say what became of the call", isError: true}
		if t.Class == automation.Read {
			a.state = automation.CallFailed
		}
		if err := b.end(ctx, row, t, llm.HostedItem{ID: row.Receipt}, a); err != nil {
			return err
		}
		if a.state == automation.CallUnknown {
			b.out.Calls = append(b.out.Calls, automation.PlannedCall{ID: row.ID, Tool: t.Label(), Class: t.Class, Hosted: true})
		}
	}
	return nil
}

func (b *hostedBook) end(ctx context.Context, row *store.ToolCall, t Tool, it llm.HostedItem, a answer) error {
	sealed, err := b.x.ring.Seal(ResultBinding(row.Owner, row.ID), []byte(a.text))
	if err != nil {
		return err
	}
	result := secret.Digest([]byte(a.text))
	n, err := b.q.ReportHosted(ctx, store.ReportHostedParams{
		ID: row.ID, RunID: row.RunID, Fence: row.Fence, State: string(a.state), Receipt: it.ID, ResultSealed: sealed,
		ResultDigest: result, ResultBytes: int64(len(a.text)), IsError: a.isError, Reason: Clean(b.x.reasonOf(a), 1000),
	})
	if err != nil {
		return fmt.Errorf("settle hosted call: %w", err)
	}
	if n == 0 {
		return errLate
	}
	row.State = string(a.state)
	return b.tell(ctx, t, it, hostedBody{
		Call: row.ID, State: a.state, IsError: a.isError, Bytes: int64(len(a.text)), Digest: row.Digest,
		Result: result, Fence: row.Fence, Reason: Clean(b.x.reasonOf(a), 300), Question: row.ProviderRequest,
	})
}

// hostedBody is the audited word of the provider on one call.
type hostedBody struct {
	Stamp
	Call      string               `json:"call"`
	Step      int                  `json:"step"`
	Tool      string               `json:"tool"`
	Class     automation.Class     `json:"class"`
	State     automation.CallState `json:"state"`
	IsError   bool                 `json:"is_error,omitempty"`
	Arguments json.RawMessage      `json:"arguments,omitempty"`
	Digest    string               `json:"digest"`
	Bytes     int64                `json:"bytes"`
	Result    string               `json:"result_digest,omitempty"`
	Fence     int64                `json:"fence,omitempty"`
	Reason    string               `json:"reason,omitempty"`
	Item      string               `json:"item,omitempty"`     // the provider's id of the call
	Question  string               `json:"question,omitempty"` // its id of the question that allowed it
	Executed  string               `json:"executed_by"`
	Evidence  string               `json:"evidence"`
}

// tell audits what the provider reports of a call.
func (b *hostedBook) tell(ctx context.Context, t Tool, it llm.HostedItem, body hostedBody) error {
	return b.audit(ctx, audit.ToolReported, fmt.Sprintf("%s/%s", body.Call, body.State), t, it, body)
}

func (b *hostedBook) audit(ctx context.Context, kind, key string, t Tool, it llm.HostedItem, body hostedBody) error {
	body.Stamp, body.Step, body.Tool, body.Class = b.turn.Stamp, b.turn.Step, t.Label(), t.Class
	body.Item, body.Executed, body.Evidence = it.ID, byProvider, reported
	return b.x.audit(ctx, b.q, b.turn.Run.ID, b.turn.Stamp, kind, key, body)
}
