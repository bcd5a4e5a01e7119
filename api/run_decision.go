package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
	"steward/internal/automation"
	"steward/internal/run"
)

type decisionBody struct {
	Decision  string                     `json:"decision" enum:"approve,deny,edit,check,retry,skip,answer,decline" doc:"approve, deny or edit a call that waits; check, retry or skip one whose outcome is unknown; answer what a server asks in the middle of a call, or decline to." example:"approve"`
	Digest    string                     `json:"digest" minLength:"1" maxLength:"128" pattern:"^[\\x21-\\x7e]+$" patternDescription:"visible ASCII" doc:"The digest of the question that the person saw." example:"9f86d081884c7d65"`
	Reason    string                     `json:"reason,omitempty" maxLength:"2000" pattern:"^[^\\x00]*$" patternDescription:"text without U+0000" doc:"Why; on deny the model is told." example:"wrong recipient"`
	Arguments map[string]json.RawMessage `json:"arguments,omitempty" doc:"For edit: the arguments to send instead."`
	Content   map[string]json.RawMessage `json:"content,omitempty" doc:"For answer: the fields of the form that the question's schema describes. It goes to the server, not to the model."`
	UserID    string                     `json:"user_id,omitempty" maxLength:"255" doc:"The caller's own user, if given at all." example:"alice"`
	Username  string                     `json:"username,omitempty" maxLength:"255" doc:"The same as user_id." example:"alice"`
}

type decisionInput struct {
	Caller

	ID     int64  `path:"id" minimum:"1" doc:"The run's number." example:"1"`
	CallID string `path:"call_id" minLength:"1" maxLength:"128" pattern:"^[A-Za-z0-9_-]+$" patternDescription:"an id" doc:"The call's id." example:"call_019aa4f08a5c7d5e"`
	Body   decisionBody
}

type decidedBody struct {
	DecisionID string `json:"decision_id" doc:"The question's id." example:"dec_019aa4f08a5c7d5e"`
	RunID      int64  `json:"run_id" doc:"The run's number." example:"1"`
	CallID     string `json:"call_id" doc:"The call's id." example:"call_019aa4f08a5c7d5e"`
	Decision   string `json:"decision" enum:"approve,deny,edit,check,retry,skip,answer,decline" doc:"What was decided." example:"approve"`
	Delivered  bool   `json:"delivered" doc:"The run has taken it. Otherwise it is recorded and will be delivered when a worker is there." example:"true"`
}

type decidedOutput struct{ Body decidedBody }

func (h *runs) registerDecision(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "decideCall", Method: http.MethodPost, Path: "/automation/run/{id}/calls/{call_id}/decision", Tags: []string{"runs"},
			Summary: "Decide a tool call",
			Description: "Answers the open question about a call. The answer repeats the question's `digest`: if the call, its arguments or the tool's " +
				"definition are no longer what the person saw, or somebody else was faster, it is refused with 409. An answer counts once. " +
				"It needs a person: API keys cannot decide.",
			Errors: []int{http.StatusNotFound, http.StatusConflict},
		},
		access:  access{scope: auth.RunsApprove},
		asks:    decisionBody{Decision: "deny", Digest: "9f86d081884c7d65", Reason: "wrong recipient"},
		answers: decidedBody{DecisionID: "dec_019aa4f08a5c7d5e", RunID: 1, CallID: "call_019aa4f08a5c7d5e", Decision: "deny", Delivered: true},
	}, h.decide)
}

func (h *runs) decide(ctx context.Context, in *decisionInput) (*decidedOutput, error) {
	p, err := principalNamed(ctx, in.Body.UserID, in.Body.Username)
	if err != nil {
		return nil, err
	}
	v := run.Verdict{
		RunID: in.ID, CallID: in.CallID, Verdict: automation.Verdict(in.Body.Decision), Digest: in.Body.Digest, Reason: in.Body.Reason,
	}
	if in.Body.Arguments != nil {
		if v.Arguments, err = json.Marshal(in.Body.Arguments); err != nil {
			return nil, fmt.Errorf("encode arguments: %w", err)
		}
	}
	if in.Body.Content != nil {
		if v.Content, err = json.Marshal(in.Body.Content); err != nil {
			return nil, fmt.Errorf("encode content: %w", err)
		}
	}
	decided, err := h.service.Decide(ctx, p, v)
	if err != nil {
		return nil, err
	}
	return &decidedOutput{Body: decidedBody{
		DecisionID: decided.DecisionID, RunID: in.ID, CallID: in.CallID, Decision: in.Body.Decision, Delivered: decided.Delivered,
	}}, nil
}
