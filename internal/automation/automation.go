// Package automation holds the words that every layer shares: a run, its states, its calls, and the
// names under which Temporal knows them. It imports the standard library alone.
package automation

import (
	"net/url"
	"strconv"
)

// Names known to Temporal. They are part of recorded histories: never rename, only add.
const (
	TaskQueue   = "steward"       // workflows, the model, local activities and tools
	WorkflowRun = "AutomationRun" // the workflow type of a run

	UpdateDecide = "decide" // Workflow Update that hands a person's decision to a waiting run
	SignalWake   = "wake"   // Workflow Signal: what a parked run waits for may be there now; its argument is a Wake
)

// Names of activities. Explicit, because a renamed method must not break a history.
const (
	ActivityResolveTools = "ResolveTools"
	ActivityPlanStep     = "PlanStep"
	ActivityParkRun      = "ParkRun"
	ActivityCallTool     = "CallTool"
	ActivitySettleCall   = "SettleCall"
	ActivityFinish       = "Finish"
)

// The development model says what it is wherever it shows: as the model, and as who runs it.
const (
	OfflineModel    = "offline-rules-1"
	OfflineProvider = "offline-rules"
)

// Mode says who calls the tools of a run.
type Mode string

// A worker calls tools itself and observes what happens. In hosted mode the model's provider calls remote
// MCP servers and reports what it did.
const (
	ModeWorker   Mode = "worker"
	ModeProvider Mode = "provider"
)

// AuditChain is the name of a run's chain of audit events.
func AuditChain(runID int64) string { return "run/" + strconv.FormatInt(runID, 10) }

// AuditUser is the chain of what a user does outside runs. Names of chains hold no spaces, those of users may.
func AuditUser(owner string) string { return "user/" + url.PathEscape(owner) }

// AuditSystem is the chain of events that belong to no run.
const AuditSystem = "system"
