package mcpclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// CallKeyMeta is the key of tools/call's _meta that carries Call.CallKey, so that a server can tell a
// repeated call from a new one.
const CallKeyMeta = "dev.steward/call-key"

// codeURLsNeeded is the error of a server that wants URLs opened before it looks at a call (2025-11-25,
// client/elicitation, "URL Elicitation Required Error").
const codeURLsNeeded = -32042

// Call is one use of a tool.
type Call struct {
	Tool      string
	Arguments json.RawMessage // a JSON object; empty means {}
	CallKey   string          // sent along if not empty
	Progress  func(Progress)  // called one at a time, never after Call returned; nil if not wanted
	// Before is asked when a session is open, right before the request leaves; its error keeps the request
	// back (ErrKeptBack). Opening a session takes its time: what held before may not hold any more.
	Before func(context.Context) error

	Given *Given // answers to what the server needed in an earlier round; servers before 2026-07-28 do not get them
	// Ask answers a question that comes in mid-call (up to 2025-11-25); nil, or an error: the server is told that no
	// choice was made. Its context ends with the call. Calls of one session that bring it go one after the other.
	// Target.Timeout says what happens to the call's time meanwhile.
	Ask func(context.Context, Question) (Answer, error)
	// Tasks says that the server may answer with a Task. Servers before 2026-07-28 have none.
	Tasks bool
	// OutputSchema is what structured content must fit, or else the error is ErrOutput; nil: anything.
	OutputSchema json.RawMessage
}

func (s *session) call(ctx context.Context, c Call) (*Result, error) {
	params, err := s.callParams(c)
	if err != nil {
		return nil, &Error{Op: "call", Server: s.name, Ran: NotRun, Stage: StageSend, Err: err}
	}
	if c.Ask != nil && s.info.Era == EraLegacy {
		giveBack, err := s.floor.take(ctx, c.Ask)
		if err != nil {
			return nil, s.failure("call", nil, err)
		}
		defer giveBack()
	}
	if c.Progress != nil {
		token, stop := s.progress.watch(c.Progress)
		defer stop(ctx)
		params.Meta["progressToken"] = token
	}
	if c.Before != nil {
		if err := c.Before(ctx); err != nil {
			return nil, &Error{Op: "call", Server: s.name, Ran: NotRun, Stage: StageSend, Err: fmt.Errorf("%w: %w", ErrKeptBack, err)}
		}
	}
	raw, err := s.request(ctx, "call", "", func(ctx context.Context) error {
		_, err := s.sdk.CallTool(ctx, params)
		return err
	})
	if err != nil {
		return needsIn(err)
	}
	res, err := parseResult(raw)
	if err == nil {
		err = s.checkOutput(ctx, c.OutputSchema, res)
	}
	if err != nil {
		return nil, s.useless("call", err)
	}
	return res, nil
}

// needsIn turns the error that asks for URLs into what it means. The server has not looked at the call.
func needsIn(err error) (*Result, error) {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Code != codeURLsNeeded {
		return nil, err
	}
	fault, ok := errors.AsType[*jsonrpc.Error](e.Err)
	if !ok {
		return nil, err
	}
	needs, unreadable := needsInError(fault.Data)
	if unreadable != nil {
		return nil, err
	}
	return &Result{Content: emptyContent, Needs: needs}, nil
}

func (s *session) callParams(c Call) (*mcp.CallToolParams, error) {
	params := &mcp.CallToolParams{Name: c.Tool, Meta: s.meta(c.Tasks)}
	if len(c.Arguments) > 0 {
		params.Arguments = c.Arguments
	}
	if c.CallKey != "" {
		params.Meta[CallKeyMeta] = c.CallKey
	}
	if c.Given == nil || s.info.Era == EraLegacy {
		return params, nil
	}
	responses, err := c.Given.responses()
	params.InputResponses, params.RequestState = responses, c.Given.State
	return params, err
}
