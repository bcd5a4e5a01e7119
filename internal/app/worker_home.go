package app

import (
	"crypto/rand"
	"strings"
	"sync"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/worker"

	"steward/activities"
	"steward/internal/automation"
)

// ownQueue names the task queue of this process alone, to which runs come back whose servers keep state in a session
// here. Another process never takes the name: what was in a session has died with its worker.
func ownQueue() string { return "steward-worker-" + strings.ToLower(rand.Text()) }

// homeOptions are those of the worker on this queue. It has activities alone, and a single poller: while nothing comes
// it costs one request that waits.
func homeOptions(o worker.Options) worker.Options {
	o.DisableWorkflowWorker = true
	o.MaxConcurrentWorkflowTaskPollers = 0
	o.MaxConcurrentActivityTaskPollers = 1
	return o
}

func registerHome(w worker.ActivityRegistry, acts *activities.Run) {
	w.RegisterActivityWithOptions(acts.CallTool, activity.RegisterOptions{Name: automation.ActivityCallTool})
}

// stopBoth gives what is under way on both queues the same time.
func stopBoth(a, b worker.Worker) {
	var stopping sync.WaitGroup
	stopping.Go(a.Stop)
	stopping.Go(b.Stop)
	stopping.Wait()
}
