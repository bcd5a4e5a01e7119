package mcp

import (
	"context"
	"encoding/json"

	"steward/internal/auth"
	"steward/internal/automation"
	"steward/internal/run"
)

type decideInput struct {
	RunID     int64  `json:"run_id" minimum:"1" doc:"The run's number."`
	CallID    string `json:"call_id" minLength:"1" maxLength:"128" doc:"The call's id."`
	Decision  string `json:"decision" enum:"approve,deny,edit,check,retry,skip,answer,decline" doc:"One of the question's decisions, as the user gave it."`
	Digest    string `json:"digest" minLength:"1" maxLength:"128" doc:"The digest of the question that the user saw."`
	Reason    string `json:"reason,omitempty" maxLength:"2000" doc:"Why; on deny the run's model is told."`
	Arguments object `json:"arguments,omitempty" doc:"For edit: the arguments to send instead."`
	Content   object `json:"content,omitempty" doc:"For answer: the fields of the form that decision.input.schema describes, as the user filled them in."`
}

type decided struct {
	DecisionID string `json:"decision_id" doc:"The question's id."`
	Decision   string `json:"decision" doc:"What was decided."`
	Delivered  bool   `json:"delivered" doc:"The run has taken it; otherwise it will when a worker is there."`
}

func decideCall(runs *run.Service) offer {
	return offering(about{
		name: "decide_call", title: "Decide a tool call", hints: concludes,
		description: "Passes on the user's own answer to the open question about a call of a run. Show the question to the user first; never decide for them. " +
			"If the call is no longer what the user saw, it is refused.",
	}, auth.RunsApprove, SchemaOf[decided](), func(ctx context.Context, c *call, in decideInput) (any, error) {
		d, err := runs.Decide(ctx, c.caller, run.Verdict{
			RunID: in.RunID, CallID: in.CallID, Verdict: automation.Verdict(in.Decision), Digest: in.Digest, Reason: in.Reason,
			Arguments: json.RawMessage(in.Arguments), Content: json.RawMessage(in.Content),
		})
		if err != nil {
			return nil, err
		}
		return decided{DecisionID: d.DecisionID, Decision: in.Decision, Delivered: d.Delivered}, nil
	})
}
