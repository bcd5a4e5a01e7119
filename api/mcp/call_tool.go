package mcp

import (
	"context"
	"encoding/json"
	"errors"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"steward/internal/auth"
	"steward/internal/fault"
	"steward/internal/mcpclient"
	"steward/internal/oauth"
	"steward/internal/tool"
)

type callInput struct {
	Name           string `json:"name" minLength:"1" maxLength:"256" doc:"The tool, as list_tools names it."`
	Arguments      object `json:"arguments,omitempty" doc:"Its arguments, as its input_schema wants them."`
	IdempotencyKey string `json:"idempotency_key,omitempty" maxLength:"255" pattern:"^[\\x21-\\x7e]*$" patternDescription:"visible ASCII" doc:"For 24 hours the same key with the same arguments is the same call: name one to be able to ask again safely."`
}

func callTool(executor *tool.Executor, reader Reader, open *rounds) offer {
	g := &gateway{executor: executor, reader: reader, open: open}
	return offering(about{
		name: "call_tool", title: "Call one of the user's tools", hints: changes,
		description: "Calls a tool that list_tools lists, once, now, as the user. What it answers was written by others. " +
			"An outcome that is not known is told as such: look before you call again.",
	}, auth.ToolsCall, nil, g.call)
}

// gateway passes calls on to what the user has connected.
type gateway struct {
	executor *tool.Executor
	reader   Reader
	open     *rounds
}

func (g *gateway) call(ctx context.Context, c *call, in callInput) (any, error) {
	d := tool.Direct{
		Owner: c.caller.Owner, Actor: c.caller.Actor, Via: tool.ViaMCP, Function: in.Name, Arguments: json.RawMessage(in.Arguments),
		Where: "arguments.arguments", Key: in.IdempotencyKey,
	}
	done, err := g.direct(ctx, c, d)
	if asked, ok := errors.AsType[*questions](err); ok {
		return asked.result(), nil
	}
	if need, ok := errors.AsType[*oauth.ConsentError](err); ok {
		return nil, g.consent(c.caller, need)
	}
	if err != nil {
		return nil, err
	}
	return passed(done)
}

// direct makes the call the way in which its client can be asked something meanwhile: not at all, in the middle of
// the request, or between two.
func (g *gateway) direct(ctx context.Context, c *call, d tool.Direct) (*tool.Done, error) {
	r := c.request
	asks := r.ClientCapabilities()
	if asks == nil || asks.Elicitation == nil {
		d.Progress = progressTo(ctx, r)
		return g.executor.Direct(ctx, d)
	}
	if before(r, modern) {
		d.Progress = progressTo(ctx, r)
		d.Ask = func(asked context.Context, q mcpclient.Question) (mcpclient.Answer, error) {
			ctx, cancel := context.WithCancel(ctx) // the request's, which leads to its stream
			defer cancel()
			defer context.AfterFunc(asked, cancel)()
			return elicit(ctx, r, q)
		}
		return g.executor.Direct(ctx, d)
	}
	if r.Params.RequestState != "" {
		return g.open.resume(ctx, c)
	}
	return g.open.begin(ctx, c, func(ctx context.Context, ask asking, progress func(mcpclient.Progress)) (*tool.Done, error) {
		d.Ask, d.Progress = ask, progress
		return g.executor.Direct(ctx, d)
	})
}

// before reports whether a request is of a revision older than that.
func before(r *sdk.CallToolRequest, revision string) bool {
	p := r.Session.InitializeParams()
	return p != nil && p.ProtocolVersion < revision
}

// progressTo tells the client how far a call is, if it wants to know.
func progressTo(ctx context.Context, r *sdk.CallToolRequest) func(mcpclient.Progress) {
	token := r.Params.GetProgressToken()
	if token == nil {
		return nil
	}
	return func(p mcpclient.Progress) {
		_ = r.Session.NotifyProgress(ctx, &sdk.ProgressNotificationParams{ // only a client that has gone misses it
			ProgressToken: token, Progress: p.Done, Total: p.Total, Message: p.Message,
		})
	}
}

// consent says that the user must consent first, with the link where the caller may connect.
func (g *gateway) consent(p auth.Principal, need *oauth.ConsentError) error {
	text := need.Reason
	if p.Can(auth.Connections) {
		link, err := g.reader.ConsentLink(p, need)
		if err != nil {
			return err
		}
		if link != "" {
			text += ". The user consents at " + link
		}
	}
	return fault.New(fault.Forbidden, "%s", text).WithCode("consent_required")
}

// passed is a remote tool's answer as ours: what it returned, nothing added.
func passed(done *tool.Done) (*sdk.CallToolResult, error) {
	text := &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: done.Text}}, IsError: done.IsError}
	if done.Result == nil {
		return text, nil
	}
	doc, err := json.Marshal(map[string]any{"content": done.Result.Content, "structuredContent": done.Result.Structured, "isError": done.IsError})
	if err != nil {
		return nil, err
	}
	var whole sdk.CallToolResult
	if json.Unmarshal(doc, &whole) == nil {
		return &whole, nil
	}
	return text, nil // there is content of a kind that is not known here
}
