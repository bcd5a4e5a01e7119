package llm

import (
	"encoding/json"
	"net/http"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/automation"
)

// wire is the recorded answer, read without the code under test.
type wire struct {
	ID, Model, Status string
	Tier              string `json:"service_tier"`
	Output            []json.RawMessage
	Moderation        struct{ Input struct{ Flagged bool } }
	Usage             *struct {
		InputTokens  int64 `json:"input_tokens"`
		OutputTokens int64 `json:"output_tokens"`
		TotalTokens  int64 `json:"total_tokens"`
		In           struct {
			Cached int64 `json:"cached_tokens"`
		} `json:"input_tokens_details"`
		Out struct {
			Reasoning int64 `json:"reasoning_tokens"`
		} `json:"output_tokens_details"`
	}
}

type wireItem struct {
	Type, Name, Arguments string
	CallID                string `json:"call_id"`
	Content               []struct{ Type, Text, Refusal string }
}

var lastEvent = regexp.MustCompile(`(?m)^data: ?(\{.*"type":"response\.completed".*\})$`)

// expected is the result that a recorded completed answer must give.
func (e exchange) expected(t *testing.T) *Response {
	var w wire
	if e.Response.SSE != "" {
		data := lastEvent.FindStringSubmatch(e.Response.SSE)
		require.NotNil(t, data)
		var event struct{ Response wire }
		require.NoError(t, json.Unmarshal([]byte(data[1]), &event))
		w = event.Response
	} else {
		require.NoError(t, json.Unmarshal(e.Response.Body, &w))
	}
	out := &Response{ID: w.ID, Model: w.Model, Status: w.Status, Tier: w.Tier, Items: w.Output}
	if w.Moderation.Input.Flagged {
		out.Blocked = "input"
	}
	for _, raw := range w.Output {
		var head struct{ Type string }
		require.NoError(t, json.Unmarshal(raw, &head))
		if head.Type != "function_call" && head.Type != "message" {
			continue
		}
		var it wireItem
		require.NoError(t, json.Unmarshal(raw, &it))
		if it.Type == "function_call" {
			out.Calls = append(out.Calls, Call{it.CallID, it.Name, it.Arguments})
			continue
		}
		out.Text, out.Refusal = "", ""
		for _, c := range it.Content {
			out.Text += c.Text
			out.Refusal += c.Refusal
		}
	}
	if u := w.Usage; u != nil && u.InputTokens+u.OutputTokens > 0 {
		out.Usage = automation.Usage{
			InputTokens: u.InputTokens, CachedTokens: u.In.Cached, OutputTokens: u.OutputTokens,
			ReasoningTokens: u.Out.Reasoning, TotalTokens: u.TotalTokens, Known: true,
		}
	}
	return out
}

// request is our form of the recorded request: input, instructions, function tools, form of the output.
func (e exchange) request(t *testing.T) Request {
	req := Request{Model: "recorded", Input: []json.RawMessage{UserMessage("the request was not recorded")}}
	if e.Request == nil || e.Request.Method != http.MethodPost {
		return req
	}
	var body struct {
		Model, Instructions string
		Input               json.RawMessage
		Tools               []struct {
			Type, Name, Description string
			Parameters              json.RawMessage
		}
		Text struct {
			Format struct {
				Type, Name string
				Schema     json.RawMessage
				Strict     bool
			}
		}
	}
	require.NoError(t, json.Unmarshal(e.Request.Body, &body))
	req.Model, req.Instructions = body.Model, body.Instructions
	var text string
	switch {
	case body.Input == nil: // a recorded error of chat completions
	case json.Unmarshal(body.Input, &text) == nil:
		req.Input = []json.RawMessage{UserMessage(text)}
	default:
		require.NoError(t, json.Unmarshal(body.Input, &req.Input))
	}
	for _, tool := range body.Tools {
		if tool.Type == "function" {
			req.Tools = append(req.Tools, Tool{tool.Name, tool.Description, tool.Parameters})
		}
	}
	if f := body.Text.Format; f.Type == "json_schema" {
		req.Output = &Output{Name: f.Name, Schema: f.Schema, Strict: f.Strict}
	}
	return req
}

// requireSent checks what the provider received against what was recorded to be asked.
func (e exchange) requireSent(t *testing.T, got received) {
	if e.Request == nil || e.is(http.MethodPost, "/chat/completions") {
		return
	}
	require.Equal(t, e.Request.Method, got.Method)
	if got.Method == http.MethodGet {
		require.Empty(t, got.Body)
		return
	}
	req := e.request(t)
	var body struct {
		Model, Instructions       string
		Store, Stream, Background *bool
		Include                   []string
		Input                     []json.RawMessage
		Text                      json.RawMessage
		Tools                     []struct {
			Type, Name, Description string
			Strict                  *bool
			Parameters              json.RawMessage
		}
	}
	require.NoError(t, json.Unmarshal(got.Body, &body))
	require.Equal(t, req.Model, body.Model)
	require.Equal(t, req.Instructions, body.Instructions)
	require.Len(t, body.Input, len(req.Input))
	for i := range req.Input {
		require.JSONEq(t, string(req.Input[i]), string(body.Input[i]))
	}
	if got.Path != "/v1/responses" {
		require.Nil(t, body.Store, "only a response has it")
		return
	}
	require.Equal(t, e.Response.SSE != "", body.Stream != nil)
	require.NotNil(t, body.Store)
	require.False(t, *body.Store)
	require.Equal(t, []string{"reasoning.encrypted_content"}, body.Include)
	require.Len(t, body.Tools, len(req.Tools))
	for i, tool := range body.Tools {
		require.Equal(t, "function", tool.Type)
		require.Equal(t, req.Tools[i].Name, tool.Name)
		require.JSONEq(t, string(req.Tools[i].Parameters), string(tool.Parameters))
		require.NotNil(t, tool.Strict)
		require.False(t, *tool.Strict)
	}
	if req.Output != nil {
		var recorded struct{ Text json.RawMessage }
		require.NoError(t, json.Unmarshal(e.Request.Body, &recorded))
		require.JSONEq(t, string(recorded.Text), string(body.Text))
	}
}
