package tool

import (
	"context"
	"errors"
	"fmt"
	"time"

	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/registry"
	"steward/internal/store"
)

const (
	sweepEvery = 5 * time.Second
	sweepPage  = 16
	keysEvery  = time.Hour
)

// Reconcile finds calls outside runs whose process has died with their answer, until ctx ends: the receiver is asked
// what became of each, and what nobody can say is recorded as unknown. Any number of processes may do it.
func (x *Executor) Reconcile(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	var keys time.Time
	for {
		for more := true; more && ctx.Err() == nil; {
			n, err := x.Sweep(ctx)
			if err != nil && ctx.Err() == nil {
				x.log.WarnContext(ctx, "open calls not looked at", "error", err)
			}
			more = err == nil && n == sweepPage
		}
		if time.Since(keys) >= keysEvery {
			keys = time.Now()
			if _, err := x.db.ForgetDirectKeys(ctx); err != nil && ctx.Err() == nil {
				x.log.WarnContext(ctx, "old idempotency keys not removed", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Sweep settles one page of calls whose time is over, and says how many there were.
func (x *Executor) Sweep(ctx context.Context) (int, error) {
	rows, err := x.db.TakeOverDirect(ctx, store.TakeOverDirectParams{Lease: probeTimeout + settleTime, PageSize: sweepPage})
	if err != nil {
		return 0, fmt.Errorf("take over open calls: %w", err)
	}
	for _, row := range rows {
		if err := x.sweep(ctx, row); err != nil {
			x.log.WarnContext(ctx, "open call not settled", "call", row.ID, "error", err)
		}
	}
	return len(rows), nil
}

const orphaned = "the process that made this call died before it had an answer"

func (x *Executor) sweep(ctx context.Context, row *store.DirectCall) error {
	held, err := x.orphan(ctx, row)
	if err != nil {
		return err
	}
	var v verdict
	switch {
	case held.tool.Class == automation.Read:
		v = verdict{state: automation.CallFailed, reason: orphaned, notMade: true}
	case held.source == nil:
		v = verdict{state: automation.CallUnknown, reason: orphaned + "; " + gone}
	default:
		v = x.inquire(ctx, held, orphaned)
	}
	_, err = x.settleDirect(ctx, held, v)
	if _, told := errors.AsType[*fault.Error](err); told { // what a caller would be told; it is recorded
		return nil
	}
	return err
}

// orphan finds again what a call was sent to. Its tool may be another one by now, but the question what became of the
// call is the server's as it is.
func (x *Executor) orphan(ctx context.Context, row *store.DirectCall) (*claimedDirect, error) {
	arguments, err := x.ring.Open(ArgumentsBinding(row.Owner, row.ID), row.ArgumentsSealed)
	if err != nil {
		return nil, err
	}
	c := &directCall{id: row.ID, arguments: arguments, Direct: Direct{Owner: row.Owner, Actor: "reconciler", Via: row.Via}}
	c.tool = Tool{ServerName: row.ServerName, Name: row.ToolName, Connection: row.Connection, Class: automation.Class(row.Class), Pin: row.Pin}
	row.LeaseUntil = time.Time{} // the one who sent it has had its time
	held := &claimedDirect{c, row, time.Now()}
	if row.Connection != "" {
		c.source, err = x.sourceOf(ctx, row.Owner, c.tool)
		return held, err
	}
	if row.ServerID == nil {
		return held, nil
	}
	c.tool.Server = *row.ServerID
	server, err := x.reg.Server(ctx, row.Owner, *row.ServerID)
	if err != nil || server == nil {
		return held, err
	}
	offers, err := x.reg.Offers(ctx, row.Owner, server)
	if err != nil { // away: the next page will find the call again
		return nil, fmt.Errorf("list tools: %w", err)
	}
	c.tool.Probe = probeOf(server, offers, row.ToolName)
	c.source = x.serverSource(row.Owner, server, c.tool)
	return held, nil
}

// probeOf is how the server's tool of that name wants to be asked; nil if it says nothing about it.
func probeOf(s *store.MCPServer, offers []registry.Offered, name string) *Probe {
	for _, o := range offers {
		if Clean(o.Name, maxToolName) == name {
			t, _, err := describe(s, o)
			if err == nil {
				return t.Probe
			}
		}
	}
	return nil
}
