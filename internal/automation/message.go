package automation

import "time"

// Messages between the workflow and its activities. They live in Temporal histories: fields are only
// added, and everything large or private stays in PostgreSQL (under 3 KB of history per step).

// RunInput starts or continues a run. Carry is zero at the start.
type RunInput struct {
	RunID int64 `json:"run_id,omitempty"`
	Carry Carry `json:"carry,omitzero"`
}

// Carry is what a continued workflow needs to know of its predecessor.
type Carry struct {
	Step     int            `json:"step,omitempty"`   // steps finished
	Seq      int64          `json:"seq,omitempty"`    // last state number written
	Tokens   int64          `json:"tokens,omitempty"` // tokens used so far
	Active   time.Duration  `json:"active,omitempty"` // wall time so far, waits for a person excluded
	Resolved *ResolveResult `json:"resolved,omitempty"`
	Parked   Parked         `json:"parked,omitzero"` // the next step could not be asked for yet
	// Homes are the task queues of the workers that hold the run's sessions, by server.
	Homes map[int64]string `json:"homes,omitempty"`
}

// Parked is how long a run has been sleeping for one thing.
type Parked struct {
	Since time.Time `json:"since,omitzero"`
	Times int       `json:"times,omitempty"`
}

// RunResult is the end of a run as the workflow sees it.
type RunResult struct {
	State State `json:"state"`
}

// Limits bound a run. They are checked before each call; zero values are replaced on acceptance.
type Limits struct {
	Steps        int   `json:"steps"`
	Tokens       int64 `json:"tokens"`
	WallSeconds  int64 `json:"wall_seconds"`
	CostMicroUSD int64 `json:"cost_micro_usd,omitempty"` // 0: no limit
}

// Usage is what a run or one model call has consumed. CostKnown false means the price is not known.
type Usage struct {
	InputTokens     int64 `json:"input_tokens"`
	CachedTokens    int64 `json:"cached_tokens"`
	OutputTokens    int64 `json:"output_tokens"`
	ReasoningTokens int64 `json:"reasoning_tokens"`
	TotalTokens     int64 `json:"total_tokens"`
	CostMicroUSD    int64 `json:"cost_micro_usd"`
	CostKnown       bool  `json:"cost_known"`
	Estimated       bool  `json:"estimated"` // counted by us, not reported
	Known           bool  `json:"known"`     // false: the provider reported nothing
}

// Add returns the sum; a sum with an unknown part is unknown.
func (u Usage) Add(v Usage) Usage {
	return Usage{
		InputTokens: u.InputTokens + v.InputTokens, CachedTokens: u.CachedTokens + v.CachedTokens,
		OutputTokens: u.OutputTokens + v.OutputTokens, ReasoningTokens: u.ReasoningTokens + v.ReasoningTokens,
		TotalTokens: u.TotalTokens + v.TotalTokens, CostMicroUSD: u.CostMicroUSD + v.CostMicroUSD,
		CostKnown: u.CostKnown && v.CostKnown, Estimated: u.Estimated || v.Estimated, Known: u.Known && v.Known,
	}
}

// ResolveInput asks for the tools a run may use.
type ResolveInput struct {
	RunID int64 `json:"run_id,omitempty"`
	Seq   int64 `json:"seq,omitempty"` // state number of this write
}

// ResolveResult is what the workflow needs of the run's row; the catalogue itself stays in PostgreSQL.
type ResolveResult struct {
	Tools     int           `json:"tools,omitempty"`
	Limits    Limits        `json:"limits,omitzero"`
	Cancelled bool          `json:"cancelled,omitempty"` // cancelled before it began
	Expiry    time.Duration `json:"expiry,omitempty"`    // how long a question to a person waits
	Park      *Park         `json:"park,omitempty"`      // a tool source needs a person first: wait, then resolve again
}

// PlanInput asks the model for the next step.
type PlanInput struct {
	RunID  int64 `json:"run_id,omitempty"`
	Step   int   `json:"step,omitempty"` // from 1
	Seq    int64 `json:"seq,omitempty"`
	Tokens int64 `json:"tokens,omitempty"` // tokens used so far
}

// PlanResult is a model's turn.
type PlanResult struct {
	Calls  []PlannedCall `json:"calls,omitempty"`  // empty: the turn is final
	Tokens int64         `json:"tokens,omitempty"` // used by this turn
	Final  Final         `json:"final,omitzero"`
	Park   *Park         `json:"park,omitempty"` // the turn could not be asked for yet: wait, then plan the same step again
}

// Park sends a run to sleep without a process or a connection. The workflow has ParkRun write it where people
// see it, and goes on when it is woken or Retry has passed.
type Park struct {
	State   State         `json:"state,omitempty"` // waiting_for_auth, _budget, _model; _approval for a tool to be reviewed
	Retry   time.Duration `json:"retry,omitempty"` // look again after this; 0: only when woken
	Waiting Waiting       `json:"waiting,omitzero"`
}

// ParkInput makes a park visible.
type ParkInput struct {
	RunID int64 `json:"run_id,omitempty"`
	Seq   int64 `json:"seq,omitempty"`
	Park  Park  `json:"park,omitzero"`
}

// ParkResult says whether there is still anything to wait for: what was missing may have come between the
// decision to wait and the moment in which others could see it.
type ParkResult struct {
	Ready bool `json:"ready,omitempty"`
}

// Wake is the argument of the Signal "wake". A run that waits for something else ignores it.
type Wake struct {
	State State `json:"state,omitempty"`
}

// Waiting tells people why a run is parked and what would let it go on.
type Waiting struct {
	Reason    string    `json:"reason"`              // for people
	Provider  string    `json:"provider,omitempty"`  // waiting_for_auth: whose consent is needed
	Connector string    `json:"connector,omitempty"` // waiting_for_auth: for which connector, or MCP server
	Server    int64     `json:"server_id,omitempty"` // waiting_for_approval: of the tool
	Tool      string    `json:"tool,omitempty"`      // waiting_for_approval: whose changed definition is to be reviewed
	Scopes    []string  `json:"scopes,omitempty"`    // waiting_for_auth: what is missing
	Version   int64     `json:"version,omitempty"`   // waiting_for_auth: the credential's version that did not suffice, 0: there was none
	Since     time.Time `json:"since,omitzero"`
	RetryAt   time.Time `json:"retry_at,omitzero"` // when it is tried again without anybody
}

// Final is how a run ends when the model says no more calls are needed.
type Final struct {
	State   State  `json:"state,omitempty"`   // Success or Failed; empty while there are calls
	Code    string `json:"code,omitempty"`    // stable error code for Failed
	Message string `json:"message,omitempty"` // for people, for Failed
}

// PlannedCall is one call of a turn, judged by policy, written in the ledger.
type PlannedCall struct {
	ID       string `json:"id,omitempty"`   // ledger id
	Tool     string `json:"tool,omitempty"` // server/tool, for summaries
	Class    Class  `json:"class,omitempty"`
	Decision string `json:"decision,omitempty"` // id of the open question, empty when none is needed
	Settled  bool   `json:"settled,omitempty"`  // refused by policy or validation: the answer for the model is already recorded
	// Hosted calls are the provider's to make: the worker never sends them, it only passes a decision on.
	Hosted bool `json:"hosted,omitempty"`
	// Session is the server whose state lives in one worker's child process: calls of the run to it go to the
	// worker that has it. 0: any worker will do.
	Session int64 `json:"session,omitempty"`
}

// CallInput executes or settles one planned call.
type CallInput struct {
	RunID    int64   `json:"run_id,omitempty"`
	Step     int     `json:"step,omitempty"`
	ID       string  `json:"id,omitempty"`       // ledger id
	Decision string  `json:"decision,omitempty"` // the approval to be used up, if one was needed
	Verdict  Verdict `json:"verdict,omitempty"`  // what a person or a timer said, if anybody was asked
	// State is the run's state once the call is claimed, written under Seq; an unknown outcome writes
	// waiting_for_decision under Seq+1. Seq 0 writes nothing: reads that run side by side have no say.
	State State `json:"state,omitempty"`
	Seq   int64 `json:"seq,omitempty"`
	// Session is PlannedCall's. Moved says that the worker which held it does not answer: another one opens it anew.
	Session int64 `json:"session,omitempty"`
	Moved   bool  `json:"moved,omitempty"`
}

// CallResult is what became of a call.
type CallResult struct {
	State   CallState `json:"state,omitempty"`
	IsError bool      `json:"is_error,omitempty"`
	Bytes   int64     `json:"bytes,omitempty"`
	// Decision is the id of the question about an unknown outcome, or of the server's own, with which the call
	// waits, or is still claimed if the server works on a task.
	Decision string `json:"decision,omitempty"`
	Park     *Park  `json:"park,omitempty"` // nothing was sent: wait, then try this call again
	// Poll is set while the server works on a task of its own: look again after it. Nothing is sent again.
	Poll time.Duration `json:"poll,omitempty"`
	// Queue is the task queue of the worker that now holds the session of PlannedCall.Session.
	Queue string `json:"queue,omitempty"`
}

// Decision is the argument of the Update "decide".
type Decision struct {
	ID      string  `json:"id,omitempty"`   // decision id, also the UpdateID
	Call    string  `json:"call,omitempty"` // ledger id
	Verdict Verdict `json:"verdict,omitempty"`
}

// FinishInput closes a run.
type FinishInput struct {
	RunID   int64  `json:"run_id,omitempty"`
	Seq     int64  `json:"seq,omitempty"`
	State   State  `json:"state,omitempty"`
	Code    string `json:"code,omitempty"`
	Message string `json:"message,omitempty"`
	Step    int    `json:"step,omitempty"`
}
