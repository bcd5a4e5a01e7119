package run

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"steward/internal/audit"
	"steward/internal/auth"
	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/store"
)

// Verdict is a person's answer to the open question about a call.
type Verdict struct {
	RunID     int64
	CallID    string // the ledger's id of the call
	Verdict   automation.Verdict
	Digest    string          // what the person saw
	Reason    string          // for the model on deny; kept in the audit
	Arguments json.RawMessage // for edit
	Content   json.RawMessage // for answer: the form that the server asks to fill in
}

// Decided is a recorded decision. Delivered false means that no worker was there to take it: the
// reconciler passes it on.
type Decided struct {
	DecisionID string
	Delivered  bool
}

// maxReason is the longest note of a person, in bytes.
const maxReason = 2000

// Decide records the answer first, in PostgreSQL, and then hands it to the workflow as an Update whose id
// is the decision's. NotFound: no such run or call. Conflict: nothing is open, the question is decided or
// expired, or the digest is not the one that is asked about. Invalid: the answer does not fit.
func (s *Service) Decide(ctx context.Context, p auth.Principal, v Verdict) (Decided, error) {
	if len(v.Reason) > maxReason {
		return Decided{}, fault.InvalidField("body.reason", "must be at most %d bytes", maxReason)
	}
	if (v.Verdict == automation.Edit) != (len(v.Arguments) > 0) {
		return Decided{}, fault.InvalidField("body.arguments", "belong to the decision edit, and only to it")
	}
	if v.Verdict != automation.Answer && len(v.Content) > 0 {
		return Decided{}, fault.InvalidField("body.content", "belongs to the decision answer, and only to it")
	}
	row, call, err := s.subject(ctx, p.Owner, v)
	if err != nil {
		return Decided{}, err
	}
	q, err := s.openQuestion(ctx, p.Owner, v)
	if err != nil {
		return Decided{}, err
	}
	in := store.DecideParams{ID: q.ID, Owner: p.Owner, Verdict: string(v.Verdict), DecidedBy: p.Actor, Note: v.Reason}
	switch v.Verdict {
	case automation.Edit:
		in.NewArgumentsSealed, in.NewDigest, err = s.edits.CheckEdit(ctx, v.RunID, call, v.Arguments)
	case automation.Answer:
		in.AnswerSealed, err = s.edits.CheckAnswer(q, v.Content)
	}
	if err != nil {
		return Decided{}, err
	}
	err = s.db.Tx(ctx, func(tx *store.Queries) error {
		d, err := tx.Decide(ctx, in)
		if store.IsNoRows(err) {
			return errDecided
		}
		if err != nil {
			return fmt.Errorf("record decision: %w", err)
		}
		_, err = audit.Append(ctx, tx, audit.Event{
			Chain: automation.AuditChain(v.RunID), Key: "decision/" + d.ID, Kind: audit.DecisionMade, Actor: p.Actor,
			Body: map[string]any{"decision": d.ID, "call": d.Call, "kind": d.Kind, "verdict": d.Verdict, "digest": d.Digest, "new_digest": d.NewDigest},
		})
		return err
	})
	if err != nil {
		return Decided{}, err
	}
	update := automation.Decision{ID: q.ID, Call: v.CallID, Verdict: v.Verdict}
	if err := s.deliver(ctx, row.WorkflowID, update); err != nil {
		s.log.InfoContext(ctx, "decision not delivered yet", "run", v.RunID, "decision", q.ID, "error", err)
		return Decided{DecisionID: q.ID}, nil
	}
	return Decided{DecisionID: q.ID, Delivered: true}, nil
}

var errDecided = fault.New(fault.Conflict, "the question is decided or has expired").WithCode("already_decided")

// subject finds the run and its call; what belongs to somebody else is not there.
func (s *Service) subject(ctx context.Context, owner string, v Verdict) (*store.AutomationRun, *store.ToolCall, error) {
	row, err := s.db.GetRun(ctx, store.GetRunParams{ID: v.RunID, Owner: owner})
	if store.IsNoRows(err) {
		return nil, nil, fault.New(fault.NotFound, "run not found")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read run: %w", err)
	}
	call, err := s.db.GetCall(ctx, store.GetCallParams{ID: v.CallID, RunID: v.RunID})
	if store.IsNoRows(err) {
		return nil, nil, fault.New(fault.NotFound, "tool call not found")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read tool call: %w", err)
	}
	return row, call, nil
}

func (s *Service) openQuestion(ctx context.Context, owner string, v Verdict) (*store.Decision, error) {
	q, err := s.db.LatestDecision(ctx, store.LatestDecisionParams{Call: v.CallID, Owner: owner})
	if store.IsNoRows(err) {
		return nil, fault.New(fault.Conflict, "the call waits for no decision").WithCode("nothing_to_decide")
	}
	if err != nil {
		return nil, fmt.Errorf("read question: %w", err)
	}
	switch kind := automation.DecisionKind(q.Kind); {
	case q.Verdict != "":
		return nil, errDecided
	case !kind.Allows(v.Verdict):
		return nil, fault.InvalidField("body.decision", "does not answer a question of kind %s", kind)
	case subtle.ConstantTimeCompare([]byte(v.Digest), []byte(q.Digest)) == 0:
		return nil, fault.New(fault.Conflict, "the digest is not that of the call as it is now: look at it again").WithCode("stale_digest")
	}
	return q, nil
}

// deliver hands the decision to the workflow. An Update that no worker takes is not stored by Temporal,
// so the caller keeps it and tries again; the UpdateID makes a repetition harmless.
func (s *Service) deliver(ctx context.Context, workflowID string, d automation.Decision) error {
	callCtx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	handle, err := s.temporal.UpdateWorkflow(callCtx, client.UpdateWorkflowOptions{
		UpdateID: d.ID, WorkflowID: workflowID, UpdateName: automation.UpdateDecide, Args: []any{d},
		WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err == nil {
		err = handle.Get(callCtx, nil)
	}
	if refused, ok := errors.AsType[*temporal.ApplicationError](err); ok && refused.NonRetryable() {
		s.log.WarnContext(ctx, "workflow refused a decision", "decision", d.ID, "code", refused.Type())
	} else if err != nil && !isGone(err) {
		return fmt.Errorf("update workflow: %w", err)
	}
	if err := s.db.MarkDecisionDelivered(ctx, d.ID); err != nil {
		return fmt.Errorf("mark decision delivered: %w", err)
	}
	return nil
}

// isGone reports that Temporal has no running workflow of this id.
func isGone(err error) bool {
	_, ok := errors.AsType[*serviceerror.NotFound](err)
	return ok
}
