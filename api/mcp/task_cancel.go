package mcp

import (
	"context"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"steward/internal/fault"
)

// cancel asks for the end of a run; of one that has ended there is nothing to ask.
func (t *tasks) cancel(ctx context.Context, _ *sdk.ServerSession, in *taskParams) (*taskTaken, error) {
	p, row, err := t.find(ctx, in.TaskID)
	if err != nil {
		return nil, err
	}
	if _, err := t.runs.Cancel(ctx, p, row.ID); err != nil && !fault.Is(err, fault.Conflict) {
		return nil, protocolError(err)
	}
	return &taskTaken{Type: "complete"}, nil
}
