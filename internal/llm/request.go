package llm

import (
	"encoding/json"
	"fmt"

	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/responses"
)

// Tool is a function offered to the model.
type Tool struct {
	Name        string          // see FunctionName
	Description string          // untrusted text of an MCP server
	Parameters  json.RawMessage // JSON schema object, sent with its numbers exact; nil takes no arguments
}

// Request is one turn. It is stateless: Input holds the whole conversation.
type Request struct {
	Model           string
	Instructions    string
	Input           []json.RawMessage // UserMessage, FunctionOutput, and Items of earlier responses verbatim
	Tools           []Tool
	Servers         []HostedServer    // remote MCP servers that the provider itself may call
	Output          *Output           // the form of the final text; nil is free text
	MaxOutputTokens int64             // 0: the provider's own limit
	RequestID       string            // sent as X-Client-Request-Id, to find the request in the provider's log
	CacheKey        string            // prompt_cache_key
	SafetyID        string            // safety_identifier: a hash of the user, never a name
	Metadata        map[string]string // at most 16 pairs
}

// params builds the SDK's form of the request. SDK types stay inside this package: they do not survive
// a round trip through JSON (a list input is lost silently), so they must never reach Temporal or a table.
// The error is an *Error with CodeBadRequest.
func (r Request) params() (responses.ResponseNewParams, error) {
	if r.Model == "" {
		return responses.ResponseNewParams{}, badRequest("no model named")
	}
	input, err := r.input()
	if err != nil {
		return responses.ResponseNewParams{}, badRequest(err.Error())
	}
	tools, err := r.tools()
	if err != nil {
		return responses.ResponseNewParams{}, badRequest(err.Error())
	}
	p := responses.ResponseNewParams{
		Model:    r.Model,
		Input:    responses.ResponseNewParamsInputUnion{OfInputItemList: input},
		Tools:    tools,
		Store:    param.NewOpt(false), // the default keeps the conversation with the provider for 30 days
		Include:  []responses.ResponseIncludable{responses.ResponseIncludableReasoningEncryptedContent},
		Metadata: r.Metadata,
	}
	if r.Output != nil {
		if p.Text, err = r.Output.text(); err != nil {
			return responses.ResponseNewParams{}, badRequest(err.Error())
		}
	}
	if r.Instructions != "" {
		p.Instructions = param.NewOpt(r.Instructions)
	}
	if r.MaxOutputTokens > 0 {
		p.MaxOutputTokens = param.NewOpt(r.MaxOutputTokens)
	}
	if r.CacheKey != "" {
		p.PromptCacheKey = param.NewOpt(r.CacheKey)
	}
	if r.SafetyID != "" {
		p.SafetyIdentifier = param.NewOpt(r.SafetyID)
	}
	return p, nil
}

func (r Request) input() (responses.ResponseInputParam, error) {
	items := make(responses.ResponseInputParam, len(r.Input))
	for i, raw := range r.Input {
		if _, err := object(raw); err != nil {
			return nil, fmt.Errorf("input item %d is not a JSON object", i)
		}
		items[i] = param.Override[responses.ResponseInputItemUnionParam](raw)
	}
	return items, nil
}

func (r Request) tools() ([]responses.ToolUnionParam, error) {
	var tools []responses.ToolUnionParam
	for _, t := range r.Tools {
		schema := map[string]any{"type": "object", "properties": map[string]any{}}
		if t.Parameters != nil {
			var err error
			if schema, err = object(t.Parameters); err != nil {
				return nil, fmt.Errorf("parameters of tool %q are not a JSON object", t.Name)
			}
		}
		f := responses.FunctionToolParam{
			Name: t.Name, Parameters: schema,
			Strict: param.NewOpt(false), // MCP schemas are seldom strict-conformant, and unset means strict
		}
		if t.Description != "" {
			f.Description = param.NewOpt(t.Description)
		}
		tools = append(tools, responses.ToolUnionParam{OfFunction: &f})
	}
	for _, s := range r.Servers {
		p, err := s.tool()
		if err != nil {
			return nil, err
		}
		tools = append(tools, responses.ToolUnionParam{OfMcp: p})
	}
	return tools, nil
}
