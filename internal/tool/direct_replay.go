package tool

import (
	"context"
	"encoding/json"
	"fmt"

	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/store"
)

// replay answers a call whose key is known.
func (x *Executor) replay(c *directCall, row *store.DirectCall) (*Done, error) {
	var server int64
	if row.ServerID != nil {
		server = *row.ServerID
	}
	if server != c.tool.Server || row.Connection != c.tool.Connection || row.ToolName != Clean(c.tool.Name, maxToolName) || row.Digest != c.digest() {
		return nil, fault.InvalidField("header.Idempotency-Key", "was used for another request").WithCode(CodeMismatch)
	}
	return x.recordedAnswer(row)
}

// recordedAnswer is what the ledger says of a call, in the form in which its caller was told.
func (x *Executor) recordedAnswer(row *store.DirectCall) (*Done, error) {
	switch automation.CallState(row.State) {
	case automation.CallClaimed:
		return nil, inProgress()
	case automation.CallUnknown:
		return nil, unknown(row.ID, row.Reason)
	}
	r, err := x.recordedReply(row)
	if err != nil {
		return nil, err
	}
	if r.text == "" && r.result == nil && row.State == string(automation.CallFailed) {
		return nil, fault.New(fault.Upstream, "the call was not carried out: %s", row.Reason).WithCode("server_unreachable")
	}
	return &Done{CallID: row.ID, Text: r.text, Result: r.result, IsError: r.isError, Replayed: true}, nil
}

func inProgress() error {
	return fault.New(fault.Conflict, "a request with this Idempotency-Key is still running").WithCode(CodeInProgress)
}

func (x *Executor) recordedReply(row *store.DirectCall) (reply, error) {
	if len(row.ResultSealed) == 0 {
		return reply{}, nil
	}
	plain, err := x.ring.Open(ResultBinding(row.Owner, row.ID), row.ResultSealed)
	if err != nil {
		return reply{}, err
	}
	var kept recorded
	if err := json.Unmarshal(plain, &kept); err != nil {
		return reply{}, fmt.Errorf("decode recorded answer: %w", err)
	}
	return kept.reply(), nil
}

// Ledger is a call outside a run as the ledger has it, for its owner.
type Ledger struct {
	Row  *store.DirectCall
	Done *Done // nil while there is no answer
}

// Look reads one call of owner's; NotFound if there is none, or it is somebody else's.
func (x *Executor) Look(ctx context.Context, owner, id string) (Ledger, error) {
	row, err := x.db.GetDirect(ctx, store.GetDirectParams{ID: id, Owner: owner})
	if store.IsNoRows(err) {
		return Ledger{}, fault.New(fault.NotFound, "no such tool call")
	}
	if err != nil {
		return Ledger{}, fmt.Errorf("read call: %w", err)
	}
	r, err := x.recordedReply(row)
	if err != nil || r.text == "" && r.result == nil {
		return Ledger{Row: row}, err
	}
	return Ledger{row, &Done{CallID: row.ID, Text: r.text, Result: r.result, IsError: r.isError, Replayed: true}}, nil
}
