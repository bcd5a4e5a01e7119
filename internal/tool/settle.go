package tool

import (
	"context"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/secret"
	"steward/internal/store"
)

// answer is what a call is settled with.
type answer struct {
	state      automation.CallState
	text       string
	isError    bool
	resolvedBy string   // 'probe' or a person; empty for the tool's own answer
	from       []string // ledger states that it may replace
	decide     bool     // unknown: a person is asked
}

// settleTime is how long a process that holds an answer tries to write it while PostgreSQL is away. If
// the process dies first, the call is found claimed and its outcome is probed.
const settleTime = 45 * time.Second

// settle writes the outcome, under the fence of this attempt. An answer that comes too late, after
// another attempt took over, changes nothing and yields what the ledger says.
func (x *Executor) settle(ctx context.Context, c *call, a answer) (automation.CallResult, error) {
	sealed, err := x.ring.Seal(ResultBinding(c.row.Owner, c.row.ID), []byte(a.text))
	if err != nil {
		return automation.CallResult{}, err
	}
	return insist(ctx, func(ctx context.Context) (automation.CallResult, error) { return x.settleOnce(ctx, c, a, sealed) })
}

// insist writes down what a server has answered, also while PostgreSQL is away and when the attempt is cancelled.
func insist(ctx context.Context, write func(context.Context) (automation.CallResult, error)) (automation.CallResult, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	return backoff.Retry(ctx, func() (automation.CallResult, error) {
		out, err := write(ctx)
		if err != nil && !store.IsUnavailable(err) {
			return out, backoff.Permanent(err)
		}
		return out, err
	}, backoff.WithBackOff(backoff.NewExponentialBackOff()), backoff.WithMaxElapsedTime(settleTime))
}

func (x *Executor) settleOnce(ctx context.Context, c *call, a answer, sealed []byte) (automation.CallResult, error) {
	out := automation.CallResult{State: a.state, IsError: a.isError, Bytes: int64(len(a.text))}
	err := x.db.Tx(ctx, func(q *store.Queries) error {
		digest := secret.Digest([]byte(a.text))
		n, err := q.SettleCall(ctx, store.SettleCallParams{
			ID: c.row.ID, RunID: c.row.RunID, Fence: c.row.Fence, FromStates: a.from, State: string(a.state),
			ResultSealed: sealed, ResultDigest: digest, ResultBytes: out.Bytes, IsError: a.isError,
			Reason: Clean(x.reasonOf(a), 1000), ResolvedBy: a.resolvedBy, WasUnknown: a.state == automation.CallUnknown,
		})
		if err != nil {
			return fmt.Errorf("settle: %w", err)
		}
		if n == 0 {
			return errLate
		}
		if a.decide {
			if out.Decision, err = x.ask(ctx, q, question{
				runID: c.row.RunID, owner: c.row.Owner, step: int(c.row.Step), stamp: c.stamp, call: c.row.ID, tool: c.tool.Label(),
				digest: c.row.Digest, pin: c.row.Pin, kind: automation.AskUnknown, reason: Clean(a.text, 1000),
			}); err != nil {
				return err
			}
			if c.in.Seq > 0 {
				if err := SetState(ctx, q, c.in.RunID, automation.WaitingForDecision, c.in.Seq+1, c.stamp); err != nil {
					return err
				}
			}
		}
		return x.audit(ctx, q, c.row.RunID, c.stamp, audit.ToolSettled, fmt.Sprintf("%s/%d/%s", c.row.ID, c.row.Fence, a.state), settleBody{
			Stamp: c.stamp, Call: c.row.ID, Step: int(c.row.Step), Tool: c.tool.Label(), State: a.state, IsError: a.isError,
			Bytes: out.Bytes, Digest: digest, ResolvedBy: a.resolvedBy, Fence: c.row.Fence, Reason: Clean(x.reasonOf(a), 300),
		})
	})
	if fault.CodeOf(err) == errLate.Code {
		return x.late(ctx, c)
	}
	if err == nil {
		c.row.State = string(a.state)
	}
	return out, err
}

// late is for an attempt that no longer holds its call: what the ledger says counts.
func (x *Executor) late(ctx context.Context, c *call) (automation.CallResult, error) {
	row, err := x.db.GetCall(ctx, store.GetCallParams{ID: c.row.ID, RunID: c.row.RunID})
	if err != nil {
		return automation.CallResult{}, fmt.Errorf("read tool call: %w", err)
	}
	if automation.CallState(row.State).Settled() {
		return settled(row), nil
	}
	return automation.CallResult{}, fault.New(fault.Conflict, "another attempt has this call").WithCode(claimLost)
}

var errLate = fault.New(fault.Conflict, "the call is settled or taken over").WithCode("settled_elsewhere")

type settleBody struct {
	Stamp
	Call       string               `json:"call"`
	Step       int                  `json:"step"`
	Tool       string               `json:"tool"`
	State      automation.CallState `json:"state"`
	IsError    bool                 `json:"is_error,omitempty"`
	Bytes      int64                `json:"bytes"`
	Digest     string               `json:"result_digest"`
	ResolvedBy string               `json:"resolved_by,omitempty"`
	Fence      int64                `json:"fence"`
	Reason     string               `json:"reason,omitempty"`
}

// reasonOf is the short text beside the state; a successful result is its own.
func (x *Executor) reasonOf(a answer) string {
	if a.state == automation.CallDone && a.resolvedBy == "" {
		return ""
	}
	return x.patterns.Text(a.text)
}

// release gives a claim back: the call provably did not run and may be sent later without a new approval.
func (x *Executor) release(ctx context.Context, c *call, why string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	err := x.db.Tx(ctx, func(q *store.Queries) error {
		n, err := q.ReleaseCall(ctx, store.ReleaseCallParams{ID: c.row.ID, RunID: c.row.RunID, Fence: c.row.Fence, Reason: Clean(why, 300)})
		if err != nil || n == 0 {
			return err
		}
		return x.audit(ctx, q, c.row.RunID, c.stamp, audit.ToolReleased, fmt.Sprintf("%s/%d", c.row.ID, c.row.Fence), settleBody{
			Stamp: c.stamp, Call: c.row.ID, Step: int(c.row.Step), Tool: c.tool.Label(), State: automation.CallPlanned,
			Fence: c.row.Fence, Reason: Clean(why, 300),
		})
	})
	if err != nil {
		return fmt.Errorf("release call: %w", err)
	}
	c.row.State = string(automation.CallPlanned)
	return nil
}
