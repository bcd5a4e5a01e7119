package automation

// State is the fine state of a run.
type State string

// The states of CONTRACT "Runs". All but the last four can still go on.
const (
	Queued             State = "queued"
	Running            State = "running"
	WaitingForApproval State = "waiting_for_approval"
	WaitingForAuth     State = "waiting_for_auth"
	WaitingForBudget   State = "waiting_for_budget"
	WaitingForModel    State = "waiting_for_model"
	WaitingForDecision State = "waiting_for_decision" // an effect with unknown outcome, or a question of a server's
	Success            State = "success"
	Failed             State = "error"
	Cancelled          State = "cancelled"
	BudgetExceeded     State = "budget_exceeded"
)

// States lists every state in the order of a run's life.
var States = []State{
	Queued, Running, WaitingForApproval, WaitingForAuth, WaitingForBudget, WaitingForModel,
	WaitingForDecision, Success, Failed, Cancelled, BudgetExceeded,
}

// Terminal reports whether nothing can happen any more.
func (s State) Terminal() bool {
	return s == Success || s == Failed || s == Cancelled || s == BudgetExceeded
}

// Status is the coarse word of seed 000: pending, success or error.
func (s State) Status() string {
	switch s {
	case Success:
		return "success"
	case Failed, Cancelled, BudgetExceeded:
		return "error"
	default:
		return "pending"
	}
}
