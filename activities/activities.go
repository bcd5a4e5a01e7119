// Package activities does the work of a run: one method per activity, each writing its audit events in
// the transaction of its own state change. Workflows refer to the methods by name through a nil pointer.
package activities

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"go.temporal.io/sdk/activity"

	"steward/internal/connector"
	"steward/internal/llm"
	"steward/internal/registry"
	"steward/internal/secret"
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
	log      *slog.Logger

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
	Log         *slog.Logger
}

// New checks its dependencies.
func New(d Deps) (*Run, error) {
	if d.DB == nil || d.Ring == nil || d.Registry == nil || d.Connections == nil || d.Executor == nil || d.Model == nil || d.Log == nil {
		return nil, errors.New("activities: all dependencies are required")
	}
	return &Run{db: d.DB, ring: d.Ring, registry: d.Registry, connections: d.Connections, executor: d.Executor, model: d.Model, log: d.Log}, nil
}

func stamp(ctx context.Context) tool.Stamp {
	info := activity.GetInfo(ctx)
	return tool.Stamp{TemporalRunID: info.WorkflowExecution.RunID, ActivityID: info.ActivityID, Attempt: info.Attempt}
}

// heartbeat tells Temporal every second that the attempt lives; a cancel comes back on the answer. The
// SDK throttles by worker.Options.MaxHeartbeatThrottleInterval.
func heartbeat(ctx context.Context) (stop func()) {
	done := make(chan struct{})
	go func() {
		t := time.NewTicker(time.Second)
		defer t.Stop()
		for {
			select {
			case <-done:
				return
			case <-ctx.Done():
				return
			case <-t.C:
				activity.RecordHeartbeat(ctx)
			}
		}
	}()
	return func() { close(done) }
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
