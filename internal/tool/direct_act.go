package tool

import (
	"context"
	"errors"
	"fmt"
	"time"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/mcpclient"
	"steward/internal/oauth"
	"steward/internal/registry"
	"steward/internal/store"
)

// claimedDirect is a call that this process has claimed.
type claimedDirect struct {
	*directCall
	row   *store.DirectCall // as far as it is needed: id, owner, fence, receipt, lease
	since time.Time
}

// act carries out a call that has a row: because it may change something, or because it has a key.
func (x *Executor) act(ctx context.Context, c *directCall) (*Done, error) {
	if c.Key != "" { // the common case is a new key: the claim finds out as well
		if row, err := x.db.FindDirect(ctx, store.FindDirectParams{Owner: c.Owner, Via: c.Via, IdempotencyKey: c.Key}); err == nil {
			return x.replay(c, row)
		} else if !store.IsNoRows(err) {
			return nil, fmt.Errorf("find call by key: %w", err)
		}
	}
	if err := x.readyDirect(ctx, c); err != nil {
		x.forget(c.Owner, c.tool.Server) // what was known of the tool may be the reason
		return nil, err
	}
	held, err := x.claimDirect(ctx, c)
	if store.IsNoRows(err) {
		row, err := x.db.FindDirect(ctx, store.FindDirectParams{Owner: c.Owner, Via: c.Via, IdempotencyKey: c.Key})
		if store.IsNoRows(err) { // whoever had the key has just given it back
			return nil, inProgress()
		}
		if err != nil {
			return nil, fmt.Errorf("find call by key: %w", err)
		}
		return x.replay(c, row)
	}
	if err != nil {
		return nil, fmt.Errorf("claim call: %w", err)
	}
	r, err := x.deliver(ctx, c, x.claimedDelivery(held), held)
	return x.conclude(ctx, held, r, err)
}

// readyDirect finds out before the claim what only a person can bring: a consent, a secret, a look at a tool that has
// changed. A definition that was the approved one a moment ago is not asked for again: many servers forbid their list
// to be kept, and would be asked for it with every call.
func (x *Executor) readyDirect(ctx context.Context, c *directCall) error {
	s, ok := c.source.(*server)
	if !ok {
		return direct(c, c.source.ready(ctx))
	}
	if err := x.reg.Ready(ctx, c.Owner, s.row); err != nil {
		return direct(c, err)
	}
	key := checkKey{offerKey{c.Owner, s.row.ID, s.row.Version}, c.tool.Name, c.tool.Pin}
	_, err := x.direct.checks.get(ctx, key, definitionAgeEffect, func(ctx context.Context) (struct{}, error) {
		ctx, cancel := context.WithTimeout(ctx, listTime)
		defer cancel()
		return struct{}{}, s.definition(ctx)
	})
	if err != nil {
		return direct(c, err)
	}
	if len(c.tool.Secrets) == 0 {
		return nil
	}
	prepared, err := s.injector.prepare(ctx, c.Owner, s.row, c.tool, c.arguments)
	if err != nil {
		return direct(c, err)
	}
	return c.complete(prepared)
}

// complete complains about secrets that are nowhere.
func (c *directCall) complete(prepared injection) error {
	if len(prepared.missing) == 0 {
		return nil
	}
	where := c.Where
	if where == "" {
		where = "arguments"
	}
	p := prepared.missing[0]
	return fault.InvalidField(where+"."+p.String(), "%s", lacking(p)).WithCode("secret_missing")
}

// direct keeps errors that people can act on and says of the others that nothing was sent.
func direct(c *directCall, err error) error {
	if err == nil {
		return nil
	}
	_, ours := errors.AsType[*fault.Error](err)
	if need, ok := errors.AsType[*oauth.ConsentError](err); ok {
		return need
	}
	if drift, ok := errors.AsType[*registry.DriftError](err); ok {
		return quarantined(drift)
	}
	if ours && fault.Is(err, fault.Upstream) {
		return fault.Wrap(err, fault.Upstream, "%s; nothing was done", fault.Text(err)).WithCode("server_unreachable")
	}
	if _, theirs := errors.AsType[*mcpclient.Error](err); ours || !theirs {
		return err
	}
	return notDone(c, failureOf(err))
}

func notDone(c *directCall, f *failure) error {
	if f.need != nil {
		return f.need
	}
	return fault.Wrap(f.err, fault.Upstream, "%s could not be reached, and nothing was done: %s", c.tool.ServerName, f.reason).
		WithCode("server_unreachable").WithRetryAfter(f.after)
}

func (x *Executor) claimDirect(ctx context.Context, c *directCall) (*claimedDirect, error) {
	sealed, err := x.ring.Seal(ArgumentsBinding(c.Owner, c.id), c.arguments)
	if err != nil {
		return nil, err
	}
	e := audit.Event{
		Chain: automation.AuditUser(c.Owner), Key: c.id + "/claimed", Kind: audit.ToolClaimed, Actor: c.Actor, Body: x.directBody(c),
	}
	body, err := e.Encode()
	if err != nil {
		return nil, err
	}
	in := store.ClaimDirectParams{
		ID: c.id, Owner: c.Owner, DirectActor: c.Actor, Via: c.Via, Connection: c.tool.Connection, ServerName: c.tool.ServerName,
		ToolName: Clean(c.tool.Name, maxToolName), Class: string(c.tool.Class), Pin: c.tool.Pin, ArgumentsSealed: sealed, Digest: c.digest(),
		Lease: directLease(c), Chain: e.Chain, EventKey: e.Key, Kind: e.Kind, EventActor: e.Actor, Body: body,
	}
	if c.Key != "" {
		in.IdempotencyKey = &c.Key
	}
	if c.tool.Server != 0 {
		in.ServerID = &c.tool.Server
	}
	since := time.Now() // before the database's own clock starts the lease
	claimed, err := x.db.ClaimDirect(ctx, in)
	if err != nil {
		return nil, err
	}
	return &claimedDirect{c, &store.DirectCall{ID: c.id, Owner: c.Owner, Fence: 1, LeaseUntil: claimed.LeaseUntil}, since}, nil
}

func (x *Executor) claimedDelivery(held *claimedDirect) delivery {
	return delivery{
		id: held.row.ID, arguments: held.arguments, receipt: held.row.Receipt, lease: &held.row.LeaseUntil,
		before:   func(ctx context.Context) error { return x.holdsDirect(ctx, held) },
		note:     func(ctx context.Context, receipt string) error { return x.noteDirect(ctx, held.row, receipt) },
		progress: held.Progress,
	}
}

// holdsDirect asks whether this process may still send: another one takes over a claim whose time is over.
func (x *Executor) holdsDirect(ctx context.Context, held *claimedDirect) error {
	if time.Since(held.since) <= sendWindow {
		return nil
	}
	holds, err := x.db.HoldsDirect(ctx, store.HoldsDirectParams{ID: held.row.ID, Fence: held.row.Fence})
	if err != nil || !holds {
		return fault.Wrap(err, fault.Conflict, "somebody else has this call").WithCode(claimLost)
	}
	return nil
}

func (x *Executor) noteDirect(ctx context.Context, row *store.DirectCall, receipt string) error {
	n, err := x.db.NoteDirectReceipt(ctx, store.NoteDirectReceiptParams{ID: row.ID, Fence: row.Fence, Receipt: receipt})
	if err != nil {
		return fmt.Errorf("note receipt: %w", err)
	}
	if n == 0 {
		return fault.New(fault.Conflict, "somebody else has this call").WithCode(claimLost)
	}
	row.Receipt = receipt
	return nil
}
