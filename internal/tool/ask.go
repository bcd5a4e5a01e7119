package tool

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/store"
)

// question is what a person is asked about a call.
type question struct {
	runID       int64
	owner       string
	step        int
	stamp       Stamp
	call        string
	tool        string
	digest, pin string // what the answer binds
	kind        automation.DecisionKind
	reason      string
	explanation Explanation   // of the guard; none: the reason says it all
	input       *Input        // of a server that asks; it gives the digest
	expiry      time.Duration // 0: the executor's
}

// ask opens a question. A call has at most one open question (unique index decisions_open); what a server asked in
// the middle of an attempt that is over makes room.
func (x *Executor) ask(ctx context.Context, q *store.Queries, w question) (string, error) {
	if len(w.explanation.Rules) == 0 {
		code := map[automation.DecisionKind]Code{automation.AskUnknown: RuleOutcome, automation.AskInput: RuleInput}[w.kind]
		if code == "" {
			code = RulePolicy
		}
		w.explanation.Rules = []Rule{{code, w.reason}}
	}
	explanation, err := json.Marshal(w.explanation)
	if err != nil {
		return "", fmt.Errorf("encode explanation: %w", err)
	}
	id := newID("dec_")
	var sealed []byte
	if w.input != nil {
		if sealed, err = x.sealInput(w.owner, id, *w.input); err != nil {
			return "", err
		}
	}
	if err := q.CloseInputs(ctx, store.CloseInputsParams{Call: w.call, Note: "the attempt that asked is over"}); err != nil {
		return "", fmt.Errorf("close earlier question: %w", err)
	}
	n, err := q.InsertDecision(ctx, store.InsertDecisionParams{
		ID: id, RunID: w.runID, Call: w.call, Owner: w.owner, Kind: string(w.kind), Digest: w.digest, Pin: w.pin,
		Reason: w.reason, Explanation: explanation, QuestionSealed: sealed, Expiry: cmp.Or(w.expiry, x.expiry),
	})
	if err != nil {
		return "", fmt.Errorf("ask a person: %w", err)
	}
	if n == 0 {
		open, err := q.OpenDecision(ctx, w.call)
		if err != nil {
			return "", fmt.Errorf("read open question: %w", err)
		}
		return open.ID, nil
	}
	return id, x.audit(ctx, q, w.runID, w.stamp, audit.DecisionAsked, id, struct {
		Stamp
		Decision string                  `json:"decision"`
		Call     string                  `json:"call"`
		Step     int                     `json:"step"`
		Tool     string                  `json:"tool"`
		Kind     automation.DecisionKind `json:"kind"`
		Digest   string                  `json:"digest"`
		Reason   string                  `json:"reason"`
	}{w.stamp, id, w.call, w.step, w.tool, w.kind, w.digest, w.reason})
}

// audit appends a fact of the run's chain whose key starts with the Temporal run id.
func (x *Executor) audit(ctx context.Context, q *store.Queries, runID int64, s Stamp, kind, key string, body any) error {
	return audit.Put(ctx, q, audit.Event{
		Chain: automation.AuditChain(runID), Key: s.TemporalRunID + "/" + kind + "/" + key, Kind: kind, Actor: "worker", Body: body,
	})
}
