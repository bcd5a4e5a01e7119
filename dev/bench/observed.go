package main

import (
	"context"
	"sync"

	"go.temporal.io/sdk/client"

	"steward/internal/automation"
)

// observed is a client that tells which workflow was started for which run.
type observed struct {
	client.Client

	starts sync.Map // run id -> chan client.WorkflowRun
}

// ExecuteWorkflow implements client.Client.
func (o *observed) ExecuteWorkflow(ctx context.Context, opts client.StartWorkflowOptions, workflow any, args ...any) (client.WorkflowRun, error) {
	w, err := o.Client.ExecuteWorkflow(ctx, opts, workflow, args...)
	if in, ok := args[0].(automation.RunInput); ok && err == nil {
		o.channel(in.RunID) <- w
	}
	return w, err
}

func (o *observed) channel(runID int64) chan client.WorkflowRun {
	c, _ := o.starts.LoadOrStore(runID, make(chan client.WorkflowRun, 1))
	return c.(chan client.WorkflowRun)
}

// of waits until the run's workflow has been started.
func (o *observed) of(ctx context.Context, runID int64) (client.WorkflowRun, error) {
	select {
	case w := <-o.channel(runID):
		return w, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
