package tool

import (
	"context"
	"fmt"
	"time"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/mcpclient"
	"steward/internal/store"
)

// Bounds of what a server may ask while its call is under way (MCP before 2026-07-28, elicitation/create). The
// session, and with it an activity, is held open meanwhile: sending the call again would repeat what it did so far.
const (
	midwayTime  = 5 * time.Minute // in all, of one call
	midwayLook  = time.Second
	midwayAsked = 10
)

// conversation is what a server asks a person in the middle of one call.
type conversation struct {
	*hearing

	x *Executor
	c *call
}

func (x *Executor) conversation(c *call, k *clock) *conversation {
	return &conversation{newHearing(k, midwayAsked), x, c}
}

// ask puts a question to the run's owner and waits for the answer. When nobody answers in time, or nobody can be
// asked, the server is told so. The model is never asked: what is wanted may be private, or a consent.
func (v *conversation) ask(ctx context.Context, q mcpclient.Question) (mcpclient.Answer, error) {
	return v.one(q, func(in Input, left time.Duration) (mcpclient.Answer, error) {
		id, before, err := v.open(ctx, in, left)
		if err != nil {
			v.x.log.WarnContext(ctx, "server's question not asked", "call", v.c.row.ID, "error", err)
			return unanswered, nil
		}
		ctx, cancel := context.WithTimeout(ctx, left)
		defer cancel()
		said := v.await(ctx, id)
		v.over(ctx, id, before)
		return said, nil
	})
}

// open shows the question, and returns the state in which people saw the run before.
func (v *conversation) open(ctx context.Context, in Input, left time.Duration) (id string, before automation.State, err error) {
	x, c := v.x, v.c
	err = x.db.Tx(ctx, func(q *store.Queries) error {
		n, err := q.ExtendLease(ctx, store.ExtendLeaseParams{
			ID: c.row.ID, RunID: c.row.RunID, Fence: c.row.Fence, Lease: left + x.limit(c) + 5*time.Second,
		})
		if err != nil {
			return fmt.Errorf("extend lease: %w", err)
		}
		if n == 0 {
			return errLate
		}
		if id, err = x.askInput(ctx, q, c, in, left); err != nil {
			return err
		}
		before, err = x.showState(ctx, q, c, "", automation.WaitingForDecision, id)
		return err
	})
	return id, before, err
}

// await looks for the answer until there is one.
func (v *conversation) await(ctx context.Context, id string) mcpclient.Answer {
	look := time.NewTicker(midwayLook)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return unanswered
		case <-look.C:
		}
		d, err := v.x.db.GetDecision(ctx, store.GetDecisionParams{ID: id, RunID: v.c.row.RunID})
		if err != nil || d.Verdict == "" {
			continue // PostgreSQL may be away for a moment
		}
		said, err := v.x.answerOf(d)
		if err != nil {
			v.x.log.ErrorContext(ctx, "answer withheld from the server", "call", v.c.row.ID, "error", err)
			return unanswered
		}
		return said
	}
}

// over closes the question if nobody answered it, uses the answer up, and shows the run as it was.
func (v *conversation) over(ctx context.Context, id string, before automation.State) {
	x, c := v.x, v.c
	_, err := insist(ctx, func(ctx context.Context) (automation.CallResult, error) {
		return automation.CallResult{}, x.db.Tx(ctx, func(q *store.Queries) error {
			if err := x.lapse(ctx, q, c, id); err != nil {
				return err
			}
			if _, err := q.UseDecision(ctx, id); err != nil {
				return fmt.Errorf("use answer: %w", err)
			}
			if before == "" || before == automation.WaitingForDecision {
				before = automation.Running
			}
			_, err := x.showState(ctx, q, c, automation.WaitingForDecision, before, id)
			return err
		})
	})
	if err != nil {
		x.log.WarnContext(ctx, "server's question not closed", "call", c.row.ID, "decision", id, "error", err)
	}
}

// showState changes what people see of the run between the workflow's own words; from "" is any state.
func (x *Executor) showState(ctx context.Context, q *store.Queries, c *call, from, to automation.State, about string) (before automation.State, err error) {
	row, err := q.GetRunForWorker(ctx, c.row.RunID)
	if err != nil {
		return "", fmt.Errorf("read run: %w", err)
	}
	if before = automation.State(row.State); from == "" {
		from = before
	}
	e := audit.Event{
		Chain: automation.AuditChain(c.row.RunID), Key: fmt.Sprintf("%s/%s/%s/%s", c.stamp.TemporalRunID, audit.RunState, about, to),
		Kind: audit.RunState, Actor: "worker", Body: map[string]any{"state": to, "status": to.Status()},
	}
	body, err := e.Encode()
	if err != nil {
		return before, err
	}
	err = q.ShowRunState(ctx, store.ShowRunStateParams{
		ID: c.row.RunID, State: string(to), FromState: string(from), Chain: e.Chain, EventKey: e.Key, Kind: e.Kind, Actor: e.Actor, Body: body,
	})
	if err != nil {
		return before, fmt.Errorf("show run state: %w", err)
	}
	return before, nil
}

// showAsking shows that the run waits for a person's answer to a server. A read has no number of the workflow's.
func (x *Executor) showAsking(ctx context.Context, q *store.Queries, c *call, decision string) error {
	if c.in.Seq > 0 {
		return SetState(ctx, q, c.in.RunID, automation.WaitingForDecision, c.in.Seq+1, c.stamp)
	}
	_, err := x.showState(ctx, q, c, "", automation.WaitingForDecision, decision)
	return err
}
