package tool

import (
	"context"
	"errors"
	"fmt"
	"time"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/oauth"
	"steward/internal/registry"
	"steward/internal/store"
)

// claimAndSend commits the claim and then sends. Nothing is sent when the claim does not commit.
func (x *Executor) claimAndSend(ctx context.Context, c *call) (automation.CallResult, error) {
	if c.source == nil {
		return x.settle(ctx, c, answer{state: automation.CallFailed, text: gone, isError: true, from: unsent})
	}
	err := c.source.ready(ctx)
	if s, ok := c.source.(*server); ok && err == nil && c.tool.Class != automation.Read {
		err = s.definition(ctx)
	}
	if err != nil {
		return x.unready(ctx, c, err)
	}
	return x.makeCall(ctx, c)
}

// makeCall is claimAndSend for a call that may go out now.
func (x *Executor) makeCall(ctx context.Context, c *call) (automation.CallResult, error) {
	if err := x.claim(ctx, c); err != nil {
		return automation.CallResult{}, err
	}
	return x.send(ctx, c)
}

// unready is a call that cannot be sent now: a person must consent first, or look at the tool.
func (x *Executor) unready(ctx context.Context, c *call, err error) (automation.CallResult, error) {
	if need, ok := errors.AsType[*oauth.ConsentError](err); ok {
		return park(c, need), nil
	}
	if drift, ok := errors.AsType[*registry.DriftError](err); ok {
		return x.drifted(ctx, c, drift)
	}
	if fault.Is(err, fault.Forbidden) {
		return x.unsend(ctx, c, fault.Text(err))
	}
	return automation.CallResult{}, err
}

// gone is what became of a server or a connection.
const gone = "the server or connection is no longer there or is disabled"

// park lets the run wait for a person's consent. The call stays as it is: nothing was sent.
func park(c *call, need *oauth.ConsentError) automation.CallResult {
	p := consent(need, c.tool.ServerName)
	return automation.CallResult{State: automation.CallState(c.row.State), Park: &p}
}

// claim takes the row, uses the approval up, and writes the intent, in one transaction.
func (x *Executor) claim(ctx context.Context, c *call) error {
	from := c.row.State
	c.claimed = time.Now() // before the database's own clock starts the lease
	err := x.db.Tx(ctx, func(q *store.Queries) error {
		if c.tool.Class == automation.Read {
			// A claim fences other processes, which see it. If PostgreSQL itself dies and forgets it, the read is made
			// again; once its answer is settled on disk, the claim is there too, since it was written before.
			if err := q.CommitToMemory(ctx); err != nil {
				return fmt.Errorf("relax commit: %w", err)
			}
		}
		if automation.CallState(from) == automation.CallWaiting {
			use := x.useApproval
			if c.round != nil { // it was approved before its first round
				use = x.useAnswer
			}
			if err := use(ctx, q, c); err != nil {
				return err
			}
		}
		row, err := q.ClaimCall(ctx, store.ClaimCallParams{
			ID: c.row.ID, RunID: c.row.RunID, SeenFence: c.row.Fence, FromStates: []string{from}, Lease: x.limit(c) + 5*time.Second,
		})
		if store.IsNoRows(err) {
			return fault.New(fault.Conflict, "another attempt has this call").WithCode(claimLost)
		}
		if err != nil {
			return fmt.Errorf("claim: %w", err)
		}
		c.row = row
		if c.in.Seq > 0 {
			if err := SetState(ctx, q, c.in.RunID, c.in.State, c.in.Seq, c.stamp); err != nil {
				return err
			}
		}
		return x.audit(ctx, q, c.in.RunID, c.stamp, audit.ToolClaimed, claimKey(row), claimBody{
			Stamp: c.stamp, Call: row.ID, Step: int(row.Step), Tool: c.tool.Label(), Class: c.tool.Class, Digest: row.Digest,
			Pin: row.Pin, Fence: row.Fence, Approval: c.in.Decision, Executed: row.ExecutedBy, Typed: c.typed, Round: c.round.number(),
		})
	})
	if err != nil {
		return fmt.Errorf("claim call: %w", err)
	}
	return nil
}

// claimKey tells the claims of one Temporal run apart.
func claimKey(row *store.ToolCall) string { return fmt.Sprintf("%s/%d", row.ID, row.Fence) }

type claimBody struct {
	Stamp
	Call     string           `json:"call"`
	Step     int              `json:"step"`
	Tool     string           `json:"tool"`
	Class    automation.Class `json:"class"`
	Digest   string           `json:"digest"`
	Pin      string           `json:"pin"`
	Fence    int64            `json:"fence"`
	Approval string           `json:"approval,omitempty"`
	Executed string           `json:"executed_by"`
	Typed    int              `json:"typed_addressees,omitempty"`
	Round    int              `json:"round,omitempty"` // how often the server has asked before
}

// useApproval checks that the approval is for exactly this call as it is now, and uses it up. An edit
// brings its own arguments, which replace the model's before the digest is compared.
func (x *Executor) useApproval(ctx context.Context, q *store.Queries, c *call) error {
	d, err := q.GetDecision(ctx, store.GetDecisionParams{ID: c.in.Decision, RunID: c.in.RunID})
	if store.IsNoRows(err) {
		return fault.New(fault.Forbidden, "the call needs an approval").WithCode("approval_missing")
	}
	if err != nil {
		return fmt.Errorf("read approval: %w", err)
	}
	if d.Call != c.row.ID || d.Kind != string(automation.AskApproval) || d.Pin != c.row.Pin || d.Digest != c.row.Digest {
		return fault.New(fault.Forbidden, "the approval is not for this call").WithCode("approval_mismatch")
	}
	if automation.Verdict(d.Verdict) == automation.Edit {
		if err := x.applyEdit(ctx, q, c, d); err != nil {
			return err
		}
	}
	used, err := q.UseDecision(ctx, d.ID)
	if err != nil {
		return fmt.Errorf("use approval: %w", err)
	}
	if used == 0 {
		return fault.New(fault.Forbidden, "the approval was not given or is used up").WithCode("approval_used")
	}
	return nil
}

// SetState writes the run's state under a workflow's number and shows it on the timeline. An older number
// than the row's changes nothing.
func SetState(ctx context.Context, q *store.Queries, runID int64, state automation.State, seq int64, s Stamp) error {
	e := audit.Event{
		Chain: automation.AuditChain(runID), Key: fmt.Sprintf("%s/%s/%d", s.TemporalRunID, audit.RunState, seq),
		Kind: audit.RunState, Actor: "worker", Body: map[string]any{"state": state, "status": state.Status()},
	}
	body, err := e.Encode()
	if err != nil {
		return err
	}
	err = q.SetRunState(ctx, store.SetRunStateParams{
		ID: runID, State: string(state), StateSeq: seq, Chain: e.Chain, EventKey: e.Key, Kind: e.Kind, Actor: e.Actor, Body: body,
	})
	if err != nil {
		return fmt.Errorf("set run state: %w", err)
	}
	return nil
}
