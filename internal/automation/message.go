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
}

// RunResult is the end of a run as the workflow sees it.
type RunResult struct {
	State State `json:"state"`
}

// Limits bound a run. They are checked before each call; zero values are replaced on acceptance.
type Limits struct {
	Steps       int   `json:"steps"`
	Tokens      int64 `json:"tokens"`
	WallSeconds int64 `json:"wall_seconds"`
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
}

// CallResult is what became of a call.
type CallResult struct {
	State    CallState `json:"state,omitempty"`
	IsError  bool      `json:"is_error,omitempty"`
	Bytes    int64     `json:"bytes,omitempty"`
	Decision string    `json:"decision,omitempty"` // id of the question about an unknown outcome
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
