package tool

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"

	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/mcpclient"
	"steward/internal/store"
)

// sendWindow is how long after its claim an attempt may send without asking the ledger again. A process
// that was stopped (SIGSTOP, a paused machine) finds that it no longer holds the fence.
const sendWindow = time.Second

// unsent and sent are the ledger states from which an answer may be settled.
var (
	unsent = []string{string(automation.CallPlanned), string(automation.CallWaiting)}
	sent   = []string{string(automation.CallClaimed), string(automation.CallUnknown)}
)

func (x *Executor) send(ctx context.Context, c *call) (automation.CallResult, error) {
	arguments, err := x.ring.Open(ArgumentsBinding(c.row.Owner, c.row.ID), c.row.ArgumentsSealed)
	if err != nil {
		return automation.CallResult{}, err
	}
	callCtx, cancel := context.WithTimeout(ctx, x.timeout)
	defer cancel()
	result, err := x.reg.Call(callCtx, c.row.Owner, c.server, mcpclient.Call{
		Tool: c.tool.Name, Arguments: arguments, CallKey: c.row.ID,
		Before: func(ctx context.Context) error { return x.holdsFence(ctx, c) },
	})
	if lost, ok := errors.AsType[*fault.Error](err); ok && errors.Is(err, mcpclient.ErrKeptBack) {
		return automation.CallResult{}, lost
	}
	if err != nil {
		return x.afterError(ctx, c, err)
	}
	return x.settle(ctx, c, x.answerOf(c, result))
}

// holdsFence asks the ledger whether this attempt may still send. It is asked on an open session: a worker
// was stopped while it started the server, another one sent, and the first sent again when it came back.
func (x *Executor) holdsFence(ctx context.Context, c *call) error {
	if time.Since(c.claimed) <= sendWindow {
		return nil
	}
	holds, err := x.db.HoldsFence(ctx, store.HoldsFenceParams{ID: c.row.ID, RunID: c.row.RunID, Fence: c.row.Fence})
	if err != nil || !holds {
		return fault.Wrap(err, fault.Conflict, "another attempt has this call").WithCode("claim_lost")
	}
	return nil
}

// afterError decides what a failed exchange means. Only what provably did not run is retried for effects.
func (x *Executor) afterError(ctx context.Context, c *call, err error) (automation.CallResult, error) {
	e, ok := errors.AsType[*mcpclient.Error](err)
	if !ok {
		e = &mcpclient.Error{Op: "call", Ran: mcpclient.MaybeRun, Err: err}
	}
	x.log.InfoContext(ctx, "tool call without an answer", "run", c.row.RunID, "call", c.row.ID, "tool", c.tool.Label(), "ran", e.Ran, "reason", reach(e))
	if ctx.Err() != nil {
		return x.interrupted(ctx, c, e)
	}
	switch {
	case e.Code != 0: // a JSON-RPC error is an answer: the server has dealt with the call
		return x.settle(ctx, c, answer{state: automation.CallFailed, text: x.serversWord(c, e), isError: true, from: sent})
	case e.Ran == mcpclient.NotRun:
		if err := x.release(ctx, c, reach(e)); err != nil {
			return automation.CallResult{}, err
		}
		return automation.CallResult{}, fault.Wrap(quotable(x.reg, c.server, err), fault.Upstream, "%s could not be reached: %s", c.tool.ServerName, reach(e))
	case c.tool.Class == automation.Effect:
		if errors.Is(err, context.DeadlineExceeded) {
			x.reg.Drop(c.row.Owner, c.server) // a child that hangs must not act after we have asked what it did
		}
		out, err := x.resolve(ctx, c, reach(e))
		if err == nil && out.State == automation.CallPlanned {
			err = fault.New(fault.Upstream, "%s did not do it: %s", c.tool.Label(), reach(e))
		}
		return out, err
	default: // the claim stays; the next attempt repeats it
		return automation.CallResult{}, fault.Wrap(quotable(x.reg, c.server, err), fault.Upstream, "%s did not answer: %s", c.tool.Label(), reach(e))
	}
}

// serversWord is the text of a JSON-RPC error, for the model.
func (x *Executor) serversWord(c *call, e *mcpclient.Error) string {
	text := fmt.Sprintf("the server refused the call (code %d)", e.Code)
	wire, ok := errors.AsType[*jsonrpc.Error](e.Err)
	redactor, err := x.reg.Redactor(c.server)
	if !ok || err != nil {
		return text
	}
	return text + ": " + Clean(redactor.Text(wire.Message), 1000)
}

// interrupted settles a call whose activity was cancelled or paused: the person is told what is known.
func (x *Executor) interrupted(ctx context.Context, c *call, e *mcpclient.Error) (automation.CallResult, error) {
	cause := context.Cause(ctx)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	if e.Ran == mcpclient.NotRun || c.tool.Class == automation.Read {
		return x.settle(ctx, c, answer{state: automation.CallCancelled, text: "cancelled", isError: true, from: sent})
	}
	x.reg.Drop(c.row.Owner, c.server)
	return x.resolve(ctx, c, fmt.Sprintf("interrupted: %v", cause))
}

// answerOf turns a tool's result into what is kept and shown. Values of the server's own secrets are
// removed first: a careless server may print its environment.
func (x *Executor) answerOf(c *call, r *mcpclient.Result) answer {
	a := answer{state: automation.CallDone, text: bodyOf(r), isError: r.IsError, from: sent}
	if r.IsError {
		a.state = automation.CallFailed
	}
	redactor, err := x.reg.Redactor(c.server)
	if err != nil {
		x.log.Error("result withheld", "call", c.row.ID, "error", err)
		a.text = "the result is withheld: the server's secrets could not be read to remove them from it"
		return a
	}
	a.text = redactor.Text(a.text)
	return a
}

// bodyOf is the text of a result: its structured content, which is exact, followed by its text where that
// is more than the same JSON once again (MCP, tools: structured content); else the whole content array
// (pictures, links). An error says in its text what went wrong.
func bodyOf(r *mcpclient.Result) string {
	text := r.Text()
	switch {
	case len(r.Structured) > 0 && (text == "" || json.Valid([]byte(text))):
		return string(r.Structured)
	case len(r.Structured) > 0 && !r.IsError:
		return string(r.Structured) + "\n" + text
	case text != "" || string(r.Content) == "[]":
		return text
	default:
		return string(r.Content)
	}
}

// ShownToModel is the function_call_output of a settled call.
func (x *Executor) ShownToModel(row *store.ListCallsBeforeRow) (string, error) {
	label := row.ServerName + "/" + row.ToolName
	body := row.Reason
	if len(row.ResultSealed) > 0 {
		plain, err := x.ring.Open(ResultBinding(row.Owner, row.ID), row.ResultSealed)
		if err != nil {
			return "", err
		}
		body = string(plain)
	}
	if row.IsError {
		doc, err := json.Marshal(map[string]string{"error": body, "outcome": row.State})
		if err != nil {
			return "", fmt.Errorf("encode tool error: %w", err)
		}
		body = string(doc)
	}
	return envelope(label, row.ID, Clean(body, len(body))), nil
}
