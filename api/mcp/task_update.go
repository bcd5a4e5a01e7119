package mcp

import (
	"context"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"steward/internal/fault"
)

// update passes a person's answers on. Some of the questions may be answered and others not; what is no open question,
// any more or at all, is ignored.
func (t *tasks) update(ctx context.Context, _ *sdk.ServerSession, in *taskParams) (*taskTaken, error) {
	p, row, err := t.find(ctx, in.TaskID)
	if err != nil {
		return nil, err
	}
	taken := &taskTaken{Type: "complete"}
	if row.FinishedAt != nil || len(in.Answers) == 0 {
		return taken, nil
	}
	shown, err := t.shown(ctx, p, row.ID)
	if err != nil {
		return nil, err
	}
	for _, c := range shown.Calls {
		if c.Question == nil || in.Answers[c.Question.ID] == nil {
			continue
		}
		v, answered, err := c.verdict(row.ID, in.Answers[c.Question.ID])
		if err != nil {
			return nil, protocolError(err)
		}
		if !answered {
			continue
		}
		if _, err := t.runs.Decide(ctx, p, v); err != nil && !fault.Is(err, fault.Conflict) { // somebody was faster
			return nil, protocolError(err)
		}
	}
	return taken, nil
}
