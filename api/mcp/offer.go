package mcp

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"steward/internal/auth"
	"steward/internal/fault"
)

// offer is one tool of ours: what it says of itself, who may call it, and what it does.
type offer struct {
	*sdk.Tool

	scope auth.Scope
	call  func(ctx context.Context, c *call) (*sdk.CallToolResult, error)
}

// call is one use of a tool of ours.
type call struct {
	caller  auth.Principal
	request *sdk.CallToolRequest
}

// about is what a tool says of itself beside its schemas.
type about struct {
	name, title, description string
	hints                    sdk.ToolAnnotations
}

// Hints of our own tools. All but the last work on Steward's records alone.
var (
	reads     = sdk.ToolAnnotations{ReadOnlyHint: true, IdempotentHint: true, DestructiveHint: of(false), OpenWorldHint: of(false)}
	changes   = sdk.ToolAnnotations{DestructiveHint: of(true), OpenWorldHint: of(true)}
	concludes = sdk.ToolAnnotations{IdempotentHint: true, DestructiveHint: of(true), OpenWorldHint: of(false)}
)

func of[T any](v T) *T { return &v }

// offering makes a tool whose input is I and whose answer is what do returns: a value that fits output, or, where
// output is nil, a whole result.
func offering[I any](a about, scope auth.Scope, output json.RawMessage, do func(ctx context.Context, c *call, in I) (any, error)) offer {
	input := shapeOf[I]()
	a.hints.Title = a.title
	t := &sdk.Tool{Name: a.name, Title: a.title, Description: a.description, Annotations: &a.hints, InputSchema: input.text}
	if output != nil { // nil inside an interface would be sent as null
		t.OutputSchema = output
	}
	return offer{
		Tool: t, scope: scope,
		call: func(ctx context.Context, c *call) (*sdk.CallToolResult, error) {
			in, err := read[I](input, c.request.Params.Arguments)
			if err != nil {
				return nil, err
			}
			out, err := do(ctx, c, in)
			if err != nil {
				return nil, err
			}
			if whole, ok := out.(*sdk.CallToolResult); ok {
				return whole, nil
			}
			return structured(out)
		},
	}
}

// structured shows an answer as data, and as text to clients and models that read nothing else.
func structured(out any) (*sdk.CallToolResult, error) {
	doc, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("encode answer: %w", err)
	}
	return &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: string(doc)}}, StructuredContent: json.RawMessage(doc)}, nil
}

// handler is the tool as the SDK calls it. What went wrong is told as the tool's answer, so that the model can read
// it and do better.
func (o offer) handler(log *slog.Logger) sdk.ToolHandler {
	return func(ctx context.Context, r *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		p, err := caller(ctx)
		if err != nil {
			return nil, err
		}
		result, err := o.call(ctx, &call{caller: p, request: r})
		if err != nil {
			return failed(ctx, log, o.Name, err), nil
		}
		return result, nil
	}
}

// metaCode is the member of an answer's _meta that holds the stable code of an error.
const metaCode = "dev.steward/code"

func failed(ctx context.Context, log *slog.Logger, name string, err error) *sdk.CallToolResult {
	if fault.KindOf(err) == fault.Internal && ctx.Err() == nil {
		log.ErrorContext(ctx, "MCP tool failed", "tool", name, "error", err)
	}
	return &sdk.CallToolResult{
		IsError: true, Content: []sdk.Content{&sdk.TextContent{Text: fault.Text(err)}}, Meta: sdk.Meta{metaCode: fault.CodeOf(err)},
	}
}
