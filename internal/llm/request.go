package llm

import (
	"encoding/json"
	"errors"
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
	MaxOutputTokens int64             // 0: the provider's own limit
	RequestID       string            // sent as X-Client-Request-Id, to find the request in the provider's log
	CacheKey        string            // prompt_cache_key
	SafetyID        string            // safety_identifier: a hash of the user, never a name
	Metadata        map[string]string // at most 16 pairs
}

// params builds the SDK's form of the request. SDK types stay inside this package: they do not survive
// a round trip through JSON (a list input is lost silently), so they must never reach Temporal or a table.
func (r Request) params() (responses.ResponseNewParams, error) {
	if r.Model == "" {
		return responses.ResponseNewParams{}, errors.New("no model named")
	}
	input, err := r.input()
	if err != nil {
		return responses.ResponseNewParams{}, err
	}
	tools, err := r.tools()
	if err != nil {
		return responses.ResponseNewParams{}, err
	}
	p := responses.ResponseNewParams{
		Model:    r.Model,
		Input:    responses.ResponseNewParamsInputUnion{OfInputItemList: input},
		Tools:    tools,
		Store:    param.NewOpt(false), // the default keeps the conversation with the provider for 30 days
		Include:  []responses.ResponseIncludable{responses.ResponseIncludableReasoningEncryptedContent},
		Metadata: r.Metadata,
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
		if !isObject(raw) {
			return nil, fmt.Errorf("input item %d is not a JSON object", i)
		}
		items[i] = param.Override[responses.ResponseInputItemUnionParam](raw)
	}
	return items, nil
}

func (r Request) tools() ([]responses.ToolUnionParam, error) {
	var tools []responses.ToolUnionParam
	for _, t := range r.Tools {
		fields := map[string]json.RawMessage{"type": json.RawMessage(`"object"`), "properties": json.RawMessage(`{}`)}
		if t.Parameters != nil {
			fields = nil
			if err := json.Unmarshal(t.Parameters, &fields); err != nil || fields == nil {
				return nil, fmt.Errorf("parameters of tool %q are not a JSON object", t.Name)
			}
		}
		// RawMessage values leave as they are; a json.Number would become a JSON string.
		schema := make(map[string]any, len(fields))
		for k, v := range fields {
			schema[k] = v
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
	return tools, nil
}

func isObject(raw json.RawMessage) bool {
	var fields map[string]json.RawMessage
	return json.Unmarshal(raw, &fields) == nil && fields != nil
}
