package tool

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/cenkalti/backoff/v5"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/mcpclient"
	"steward/internal/secret"
	"steward/internal/store"
)

// verdict is what a claimed call is settled with.
type verdict struct {
	state      automation.CallState // done, failed or unknown
	reply      reply
	reason     string // for people; empty where the reply says it all
	resolvedBy string // "probe"; empty for the tool's own answer
	notMade    bool   // it was provably not made: its key may be used again
}

// conclude settles a claimed call with what came of it, and says so to the caller.
func (x *Executor) conclude(ctx context.Context, held *claimedDirect, r reply, err error) (*Done, error) {
	if err == nil {
		v := verdict{state: automation.CallDone, reply: r}
		if r.isError {
			v.state = automation.CallFailed
		}
		return x.settleDirect(ctx, held, v)
	}
	if lostClaim(err) {
		return x.standing(ctx, held)
	}
	f := failureOf(err)
	x.log.InfoContext(ctx, "direct call without an answer", "call", held.row.ID, "tool", held.tool.Label(), "ran", f.ran, "reason", f.reason, "error", f.err)
	switch {
	case f.told != "": // the receiver has dealt with the call
		return x.settleDirect(ctx, held, verdict{state: automation.CallFailed, reply: reply{text: f.told, isError: true}, reason: f.told})
	case !f.ran || held.tool.Class == automation.Read:
		if _, err := x.settleDirect(ctx, held, verdict{state: automation.CallFailed, reason: f.reason, notMade: true}); err != nil {
			return nil, err
		}
		return nil, notDone(held.directCall, f)
	default:
		if held.tool.Class == automation.Effect && (ctx.Err() != nil || errors.Is(f, context.DeadlineExceeded)) {
			held.source.drop() // a child that hangs must not act after we have asked what it did
		}
		return x.settleDirect(ctx, held, x.inquire(ctx, held, f.reason))
	}
}

// inquire asks the receiver what became of a call.
func (x *Executor) inquire(ctx context.Context, held *claimedDirect, why string) verdict {
	if !held.source.probes() {
		return verdict{state: automation.CallUnknown, reason: why + "; the tool has no way to ask whether it took effect"}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeTimeout)
	defer cancel()
	p := held.source.probe(ctx, x.claimedDelivery(held))
	switch p.outcome {
	case automation.OutcomeDone:
		return verdict{state: automation.CallDone, reply: reply{text: p.text}, resolvedBy: "probe"}
	case automation.OutcomeFailed:
		return verdict{state: automation.CallFailed, reason: why + "; asked, the receiver says that it did not happen", resolvedBy: "probe", notMade: true}
	default:
		return verdict{state: automation.CallUnknown, reason: why + "; " + p.text}
	}
}

// settleDirect writes the outcome. While PostgreSQL is away it tries again: the answer is in this process alone.
func (x *Executor) settleDirect(ctx context.Context, held *claimedDirect, v verdict) (*Done, error) {
	in, err := x.settlement(held, v)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	n, err := backoff.Retry(ctx, func() (int64, error) {
		n, err := x.db.SettleDirect(ctx, in)
		if err != nil && !store.IsUnavailable(err) {
			return n, backoff.Permanent(err)
		}
		return n, err
	}, backoff.WithBackOff(backoff.NewExponentialBackOff()), backoff.WithMaxElapsedTime(settleTime))
	if err != nil { // the claim stands, and will be asked about
		return nil, fmt.Errorf("settle call %s: %w", held.row.ID, err)
	}
	if n == 0 {
		return x.standing(ctx, held)
	}
	switch {
	case v.state == automation.CallUnknown:
		return nil, unknown(held.row.ID, v.reason)
	case v.notMade && v.resolvedBy != "": // asked, and told that it did not happen
		return nil, notDone(held.directCall, &failure{reason: v.reason})
	}
	return &Done{CallID: held.row.ID, Text: v.reply.text, Result: v.reply.result, IsError: v.reply.isError}, nil
}

// standing answers with what the ledger says: somebody else has settled the call, or this process has and did not
// hear of it.
func (x *Executor) standing(ctx context.Context, held *claimedDirect) (*Done, error) {
	row, err := x.db.GetDirect(context.WithoutCancel(ctx), store.GetDirectParams{ID: held.row.ID, Owner: held.row.Owner})
	if err != nil {
		return nil, fmt.Errorf("read call: %w", err)
	}
	return x.recordedAnswer(row)
}

func (x *Executor) settlement(held *claimedDirect, v verdict) (store.SettleDirectParams, error) {
	answer, err := recordedOf(v).encode()
	if err != nil {
		return store.SettleDirectParams{}, err
	}
	sealed, err := x.ring.Seal(ResultBinding(held.row.Owner, held.row.ID), answer)
	if err != nil {
		return store.SettleDirectParams{}, err
	}
	in := store.SettleDirectParams{
		ID: held.row.ID, Fence: held.row.Fence, State: string(v.state), ResultSealed: sealed, ResultDigest: secret.Digest(answer),
		ResultBytes: int64(len(v.reply.text)), IsError: v.reply.isError, Reason: Clean(x.patterns.Text(v.reason), 1000), ResolvedBy: v.resolvedBy, NotMade: v.notMade,
		// Somebody with a key may ask for the answer again; and what is not simply done must not be forgotten.
		Durable: held.Key != "" || v.state != automation.CallDone || v.resolvedBy != "",
	}
	e := audit.Event{
		Chain: automation.AuditUser(held.row.Owner), Key: fmt.Sprintf("%s/%d/%s", in.ID, in.Fence, in.State), Kind: audit.ToolSettled, Actor: held.Actor,
		Body: directOutcome{
			Call: in.ID, Tool: held.tool.Label(), State: v.state, IsError: in.IsError, Bytes: in.ResultBytes, Digest: in.ResultDigest,
			ResolvedBy: in.ResolvedBy, Fence: in.Fence, Reason: Clean(in.Reason, 300),
		},
	}
	in.Chain, in.EventKey, in.Kind, in.EventActor = e.Chain, e.Key, e.Kind, e.Actor
	in.Body, err = e.Encode()
	return in, err
}

// recorded is an answer as it is kept, sealed.
type recorded struct {
	Text       string          `json:"text,omitempty"` // of what is no MCP server
	Content    json.RawMessage `json:"content,omitempty"`
	Structured json.RawMessage `json:"structured,omitempty"`
	IsError    bool            `json:"is_error,omitempty"`
}

func recordedOf(v verdict) recorded {
	r := recorded{IsError: v.reply.isError}
	if v.reply.result == nil {
		r.Text = v.reply.text
		return r
	}
	r.Content, r.Structured = v.reply.result.Content, v.reply.result.Structured
	return r
}

func (r recorded) encode() ([]byte, error) {
	doc, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode answer: %w", err)
	}
	return doc, nil
}

// reply is the answer as it was.
func (r recorded) reply() reply {
	if r.Content == nil {
		return reply{text: r.Text, isError: r.IsError}
	}
	result := &mcpclient.Result{Content: r.Content, Structured: r.Structured, IsError: r.IsError}
	return reply{text: bodyOf(result), isError: r.IsError, result: result}
}
