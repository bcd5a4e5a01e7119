// Package activities does the work of a run: one method per activity, each writing its audit events in
// the transaction of its own state change. Workflows refer to the methods by name through a nil pointer.
package activities

import (
	"context"
	"errors"
	"log/slog"

	"go.temporal.io/sdk/activity"

	"steward/internal/connector"
	"steward/internal/llm"
	"steward/internal/registry"
	"steward/internal/secret"
	"steward/internal/spending"
	"steward/internal/store"
	"steward/internal/tool"
)

// Run holds what the activities of a run share. Every exported method is an activity.
type Run struct {
	db       *store.DB
	ring     *secret.Ring
	registry *registry.Registry
	executor *tool.Executor
	model    *llm.Client
	spending *spending.Book
	log      *slog.Logger
	queue    string

	connections *connector.Connections
}

// Deps are a worker's shared parts; all are required.
type Deps struct {
	DB          *store.DB
	Ring        *secret.Ring
	Registry    *registry.Registry
	Connections *connector.Connections
	Executor    *tool.Executor
	Model       *llm.Client
	Spending    *spending.Book
	Log         *slog.Logger
	// Queue is the task queue of this worker alone: runs come back to it whose servers keep state in a session here.
	Queue string
}

// New checks its dependencies.
func New(d Deps) (*Run, error) {
	if d.DB == nil || d.Ring == nil || d.Registry == nil || d.Connections == nil || d.Executor == nil || d.Model == nil ||
		d.Spending == nil || d.Log == nil || d.Queue == "" {
		return nil, errors.New("activities: all dependencies are required")
	}
	return &Run{
		db: d.DB, ring: d.Ring, registry: d.Registry, connections: d.Connections, executor: d.Executor, model: d.Model,
		spending: d.Spending, log: d.Log, queue: d.Queue,
	}, nil
}

func stamp(ctx context.Context) tool.Stamp {
	info := activity.GetInfo(ctx)
	return tool.Stamp{TemporalRunID: info.WorkflowExecution.RunID, ActivityID: info.ActivityID, Attempt: info.Attempt}
}

// end logs the full error, with its cause, and hands Temporal the part that people may read.
func (r *Run) end(ctx context.Context, err error) error {
	if err != nil && ctx.Err() == nil {
		info := activity.GetInfo(ctx)
		r.log.WarnContext(ctx, "activity attempt failed", "activity", info.ActivityType.Name, "attempt", info.Attempt,
			"workflow", info.WorkflowExecution.ID, "error", err)
	}
	return failure(err)
}
