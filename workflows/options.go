package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"steward/internal/automation"
)

// Every timeout and retry policy of the product stands here, by activity name. A reflection test fails
// when an activity has none. Changing a number here changes no history: options are recorded.
//
// HeartbeatTimeout 5 s is what finds a killed worker; StartToClose covers one attempt including the time
// in which an answer is kept while PostgreSQL is away. ScheduleToClose is not set: an outage of ours is a
// longer wait, not a failed run.
var options = map[string]workflow.ActivityOptions{
	automation.ActivityResolveTools: {
		StartToCloseTimeout: 3 * time.Minute, HeartbeatTimeout: 5 * time.Second,
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 15 * time.Second, MaximumAttempts: 8},
	},
	// A model that is away parks the run long before these attempts are used up (activities.maxModel): most of
	// them, too, are for outages of our own.
	// Where the provider works by itself, an attempt that runs out of time is followed by one that goes on looking.
	automation.ActivityPlanStep: {
		StartToCloseTimeout: time.Hour, HeartbeatTimeout: 5 * time.Second, WaitForCancellation: true,
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: time.Minute, MaximumAttempts: 15},
	},
	automation.ActivityParkRun: {
		StartToCloseTimeout: time.Minute, HeartbeatTimeout: 5 * time.Second,
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: 500 * time.Millisecond, BackoffCoefficient: 2, MaximumInterval: 30 * time.Second},
	},
	// A second attempt never sends an effect again: the ledger's claim is the fence, not this number. Most
	// attempts are for outages of our own; activities.maxUpstream ends it earlier when the server is away.
	//
	// A server may ask a person in the middle of a call, for five minutes (tool.midwayTime).
	automation.ActivityCallTool: {
		StartToCloseTimeout: 10 * time.Minute, HeartbeatTimeout: 5 * time.Second, WaitForCancellation: true,
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: 500 * time.Millisecond, BackoffCoefficient: 2, MaximumInterval: 10 * time.Second, MaximumAttempts: 30},
	},
	automation.ActivitySettleCall: {
		StartToCloseTimeout: 2 * time.Minute, HeartbeatTimeout: 5 * time.Second,
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: 500 * time.Millisecond, BackoffCoefficient: 2, MaximumInterval: 30 * time.Second},
	},
	automation.ActivityFinish: {
		StartToCloseTimeout: 5 * time.Minute, HeartbeatTimeout: 5 * time.Second,
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: 500 * time.Millisecond, BackoffCoefficient: 2, MaximumInterval: 30 * time.Second},
	},

	// Packages. A build that dies leaves a folder that nothing names; each attempt has its own.
	automation.ActivityResolvePackage: {
		StartToCloseTimeout: 3 * time.Minute, HeartbeatTimeout: 5 * time.Second, WaitForCancellation: true,
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 15 * time.Second, MaximumAttempts: 4},
	},
	automation.ActivityBuildPackage: {
		StartToCloseTimeout: 20 * time.Minute, HeartbeatTimeout: 5 * time.Second, WaitForCancellation: true,
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 15 * time.Second, MaximumAttempts: 4},
	},
	automation.ActivityTryPackage: {
		StartToCloseTimeout: time.Minute, HeartbeatTimeout: 5 * time.Second, WaitForCancellation: true,
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 15 * time.Second, MaximumAttempts: 2},
	},
	automation.ActivitySwitchPackage: {
		StartToCloseTimeout: 2 * time.Minute, HeartbeatTimeout: 5 * time.Second,
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: 500 * time.Millisecond, BackoffCoefficient: 2, MaximumInterval: 30 * time.Second, MaximumAttempts: 30},
	},
	automation.ActivityRemovePackage: {
		StartToCloseTimeout: 2 * time.Minute, HeartbeatTimeout: 5 * time.Second,
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: 500 * time.Millisecond, BackoffCoefficient: 2, MaximumInterval: 30 * time.Second, MaximumAttempts: 30},
	},
	automation.ActivityFailPackage: {
		StartToCloseTimeout: 2 * time.Minute, HeartbeatTimeout: 5 * time.Second,
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: 500 * time.Millisecond, BackoffCoefficient: 2, MaximumInterval: 30 * time.Second},
	},
	automation.ActivityCheckPackage: {
		StartToCloseTimeout: time.Minute, HeartbeatTimeout: 5 * time.Second,
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 15 * time.Second, MaximumAttempts: 2},
	},
}

// with returns ctx with the options of an activity and a summary for the Temporal Web UI. The summary
// passes through the payload codec: it may name a tool, never content.
func with(ctx workflow.Context, activity, summary string) workflow.Context {
	o := options[activity]
	o.Summary = summary
	return workflow.WithActivityOptions(ctx, o)
}
