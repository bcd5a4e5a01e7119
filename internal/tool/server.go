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

// server is an MCP server as the source of one tool, for one call.
type server struct {
	reg      *registry.Registry
	log      *slog.Logger
	owner    string
	row      *store.MCPServer
	tool     Tool
	injector *injector

	scrub scrubber // of what comes back; nil: not known yet
}

// definitionAge is how old the server's word on its tools may be when one is called: a server that announces changes
// is believed at once, another one is asked as often as this.
const definitionAge = 10 * time.Second

// ready finds out whether the call can be sent: whether a credential is there, and whether the tool is still what
// somebody agreed to.
func (s *server) ready(ctx context.Context) error {
	if err := s.reg.Ready(ctx, s.owner, s.row); err != nil {
		return err
	}
	err := s.reg.Check(ctx, s.owner, s.row, s.tool.Name, s.tool.Pin, definitionAge)
	if _, away := errors.AsType[*mcpclient.Error](err); away {
		return nil // a list that cannot be had says nothing; the call itself will
	}
	return err
}

func (s *server) send(ctx context.Context, d delivery) (reply, error) {
	prepared, err := s.injector.prepare(ctx, s.owner, s.row, s.tool, d.arguments)
	if err != nil {
		f := failureOf(err)
		f.ran, f.reason = false, registry.Reason(err)
		return reply{}, f
	}
	if len(prepared.missing) > 0 {
		text := prepared.missing[0].String() + " " + lacking(prepared.missing[0])
		return reply{}, &failure{told: text, reason: text}
	}
	s.scrub = prepared.scrub
	result, err := s.reg.Call(ctx, s.owner, s.row, mcpclient.Call{
		Tool: s.tool.Name, Arguments: prepared.arguments, CallKey: d.id, Before: d.before, Progress: s.progress(d.progress),
		Given: d.given, Ask: s.ask(d.ask), Tasks: d.tasks, OutputSchema: s.tool.OutputSchema,
	})
	if errors.Is(err, mcpclient.ErrOutput) {
		return s.misfit(ctx, err), nil
	}
	if err != nil {
		return reply{}, s.failure(err)
	}
	return s.replyOf(ctx, result)
}

// misfit is an answer whose structured content is not what the tool promised. The call did run: of one that changes
// something that is what counts, and to report it as failed would have it made again.
func (s *server) misfit(ctx context.Context, err error) reply {
	s.log.WarnContext(ctx, "result does not fit the output schema", "tool", s.tool.Label(), "error", s.quotable(err))
	const why = "the structured result does not fit the tool's own output schema, so it is withheld"
	if s.tool.Class == automation.Read {
		return reply{text: why, isError: true}
	}
	return reply{text: "the server carried the call out; " + why}
}

// progress passes on what the server says of its progress, without secrets.
func (s *server) progress(to func(mcpclient.Progress)) func(mcpclient.Progress) {
	if to == nil {
		return nil
	}
	return func(p mcpclient.Progress) {
		p.Message = s.scrub.text(p.Message)
		to(p)
	}
}

// ask passes on what the server asks in the middle of the call, without secrets.
func (s *server) ask(who func(context.Context, mcpclient.Question) (mcpclient.Answer, error)) func(context.Context, mcpclient.Question) (mcpclient.Answer, error) {
	if who == nil {
		return nil
	}
	return func(ctx context.Context, q mcpclient.Question) (mcpclient.Answer, error) {
		return who(ctx, s.scrub.question(q))
	}
}

// replyOf is what the server answered, free of secrets: its own, the owner's, and those of this call.
func (s *server) replyOf(ctx context.Context, result *mcpclient.Result) (reply, error) {
	scrub, err := s.scrubber(ctx)
	if err != nil {
		s.log.ErrorContext(ctx, "result withheld", "tool", s.tool.Label(), "error", err)
		return reply{text: withheld, isError: result.IsError}, nil
	}
	clean := scrub.result(result)
	return reply{text: bodyOf(clean), isError: clean.IsError, result: clean, needs: clean.Needs, task: clean.Task}, nil
}

const withheld = "the result is withheld: the secrets could not be read to remove them from it"

// scrubber knows what must not come back. Where no call was prepared here, a token that an earlier process gave is not
// known any more; the present one is.
func (s *server) scrubber(ctx context.Context) (scrubber, error) {
	if s.scrub != nil {
		return s.scrub, nil
	}
	scrub, err := s.injector.known(ctx, s.owner, s.row, s.tool)
	if err == nil {
		s.scrub = scrub
	}
	return scrub, err
}

func (s *server) failure(err error) error {
	if errors.Is(err, mcpclient.ErrKeptBack) {
		return err
	}
	e, ok := errors.AsType[*mcpclient.Error](err)
	if !ok { // the pool was not asked, or only to be told 401: a credential is missing
		f := failureOf(err)
		f.ran, f.reason = false, registry.Reason(err)
		return f
	}
	f := &failure{ran: e.Ran != mcpclient.NotRun, reason: registry.Reason(e), after: e.RetryAfter, err: s.quotable(err)}
	if errors.Is(err, context.DeadlineExceeded) {
		f.err = errors.Join(f.err, context.DeadlineExceeded)
	}
	if e.Fault { // a JSON-RPC error is an answer: the server has dealt with the call
		f.told = s.word(e)
	}
	return f
}

// quotable is an error as it may be logged.
func (s *server) quotable(err error) error {
	if _, ok := errors.AsType[*mcpclient.Error](err); !ok {
		return err // ours
	}
	scrub, failed := s.scrubber(context.Background())
	if failed != nil {
		return errors.New("withheld: the secrets could not be read to remove them")
	}
	return errors.New(scrub.text(err.Error()))
}

// word is the text of a JSON-RPC error, for the model.
func (s *server) word(e *mcpclient.Error) string {
	text := fmt.Sprintf("the server refused the call (code %d)", e.Code)
	wire, ok := errors.AsType[*jsonrpc.Error](e.Err)
	if !ok {
		return text
	}
	scrub, err := s.scrubber(context.Background())
	if err != nil {
		return text
	}
	return text + ": " + Clean(scrub.text(wire.Message), 1000)
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
			reason = registry.Reason(err)
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
		clean, err := s.replyOf(ctx, r)
		if err != nil {
			return cannotTell("the server's answer could not be read")
		}
		return probed{automation.OutcomeDone, clean.text}
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
