package durable

import (
	"time"

	"go.temporal.io/sdk/worker"

	"steward/internal/secret"
)

// WorkerOptions are what all our workers run with; the figures are for a process on two cores
// (temporal.md §6 and §7 measured them).
func WorkerOptions() worker.Options {
	return worker.Options{
		// A cancel rides on the answer to a heartbeat. By default those are held back for up to 80 % of
		// the heartbeat timeout: it took 27 s to stop a tool; with this it takes 0.3 s.
		MaxHeartbeatThrottleInterval: time.Second,
		// By default a stopping worker drops the calls it is in.
		WorkerStopTimeout: 30 * time.Second,
		// How long a task waits for a worker that has died before others may take it.
		StickyScheduleToStartTimeout: 2 * time.Second,

		MaxConcurrentWorkflowTaskPollers: 4,
		MaxConcurrentActivityTaskPollers: 4,
		// Model and tool calls wait for the network; the bound is memory and politeness, not CPU.
		MaxConcurrentActivityExecutionSize: 150,

		// Names are explicit constants: a renamed function must not change a history.
		DisableRegistrationAliasing: true,
	}
}

// NewReplayer makes a replayer for histories that were recorded with this ring.
func NewReplayer(ring *secret.Ring) (worker.WorkflowReplayer, error) {
	return worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{
		DataConverter: DataConverter(ring), FailureConverter: FailureConverter(ring),
		DisableRegistrationAliasing: WorkerOptions().DisableRegistrationAliasing,
	})
}
