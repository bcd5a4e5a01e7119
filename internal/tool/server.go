package tool

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"

	"steward/internal/automation"
	"steward/internal/mcpclient"
	"steward/internal/registry"
	"steward/internal/store"
)

// server is an MCP server as the source of one tool.
type server struct {
	reg   *registry.Registry
	log   *slog.Logger
	owner string
	row   *store.MCPServer
	tool  Tool
}

func (s *server) ready(ctx context.Context) error { return s.reg.Ready(ctx, s.owner, s.row) }

func (s *server) send(ctx context.Context, d delivery) (reply, error) {
	result, err := s.reg.Call(ctx, s.owner, s.row, mcpclient.Call{Tool: s.tool.Name, Arguments: d.arguments, CallKey: d.id, Before: d.before})
	if err != nil {
		return reply{}, s.failure(err)
	}
	text, err := s.redact(bodyOf(result))
	if err != nil {
		s.log.ErrorContext(ctx, "result withheld", "call", d.id, "error", err)
		text = "the result is withheld: the server's secrets could not be read to remove them from it"
	}
	return reply{text: text, isError: result.IsError}, nil
}

func (s *server) failure(err error) error {
	if errors.Is(err, mcpclient.ErrKeptBack) {
		return err
	}
	e, ok := errors.AsType[*mcpclient.Error](err)
	if !ok { // the pool was not asked, or only to be told 401: a credential is missing
		f := failureOf(err)
		f.ran, f.reason = false, reach(err)
		return f
	}
	f := &failure{ran: e.Ran != mcpclient.NotRun, reason: reach(e), after: e.RetryAfter, err: quotable(s.reg, s.row, err)}
	if errors.Is(err, context.DeadlineExceeded) {
		f.err = errors.Join(f.err, context.DeadlineExceeded)
	}
	if e.Code != 0 { // a JSON-RPC error is an answer: the server has dealt with the call
		f.told = s.word(e)
	}
	return f
}

// word is the text of a JSON-RPC error, for the model.
func (s *server) word(e *mcpclient.Error) string {
	text := fmt.Sprintf("the server refused the call (code %d)", e.Code)
	wire, ok := errors.AsType[*jsonrpc.Error](e.Err)
	if !ok {
		return text
	}
	said, err := s.redact(wire.Message)
	if err != nil {
		return text
	}
	return text + ": " + Clean(said, 1000)
}

// redact removes the values of the server's own secrets: a careless server may print its environment.
func (s *server) redact(text string) (string, error) {
	redactor, err := s.reg.Redactor(s.row)
	if err != nil {
		return "", err
	}
	return redactor.Text(text), nil
}

func (s *server) probes() bool { return s.tool.Probe != nil }

// probe asks the server's own tool. "Not done" is believed only when the earlier attempt cannot act any
// more: a stdio child has died with its worker or was dropped; a remote server may still work on the
// request, so there it counts only after the call's time is over.
func (s *server) probe(ctx context.Context, d delivery) probed {
	arguments, err := json.Marshal(map[string]string{s.tool.Probe.Argument: d.id})
	if err != nil {
		return cannotTell("the question could not be made")
	}
	r, err := s.reg.Call(ctx, s.owner, s.row, mcpclient.Call{Tool: s.tool.Probe.Tool, Arguments: arguments})
	if err != nil || r.IsError {
		reason := "the probe failed"
		if err != nil {
			reason = reach(err)
		}
		s.log.WarnContext(ctx, "probe without an answer", "call", d.id, "tool", s.tool.Label(), "reason", reason)
		return cannotTell("the server could not say whether it took effect")
	}
	var said struct {
		Outcome string `json:"outcome"`
	}
	if err := json.Unmarshal(r.Structured, &said); err != nil {
		return cannotTell("the server's answer could not be read")
	}
	switch said.Outcome {
	case "done":
		text, err := s.redact(bodyOf(r))
		if err != nil {
			text = "done; the answer is withheld: the server's secrets could not be read to remove them from it"
		}
		return probed{automation.OutcomeDone, text}
	case "not_done":
		if s.row.Transport != "stdio" && d.lease != nil && time.Now().Before(*d.lease) {
			return cannotTell("the server has not done it yet, but may still be working on it")
		}
		return probed{automation.OutcomeFailed, ""}
	}
	return cannotTell("the server could not say whether it took effect")
}

// drop ends the session: a child that hangs must not act after we have asked what it did.
func (s *server) drop() { s.reg.Drop(s.owner, s.row) }

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
