package tool

import (
	"context"
	"encoding/json"
	"fmt"

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
	explanation Explanation // of the guard; none: the reason says it all
}

// ask opens a question. A call has at most one open question (unique index decisions_open).
func (x *Executor) ask(ctx context.Context, q *store.Queries, w question) (string, error) {
	if len(w.explanation.Rules) == 0 {
		code := RulePolicy
		if w.kind == automation.AskUnknown {
			code = RuleOutcome
		}
		w.explanation.Rules = []Rule{{code, w.reason}}
	}
	explanation, err := json.Marshal(w.explanation)
	if err != nil {
		return "", fmt.Errorf("encode explanation: %w", err)
	}
	id := newID("dec_")
	n, err := q.InsertDecision(ctx, store.InsertDecisionParams{
		ID: id, RunID: w.runID, Call: w.call, Owner: w.owner, Kind: string(w.kind), Digest: w.digest, Pin: w.pin,
		Reason: w.reason, Explanation: explanation, Expiry: x.expiry,
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
