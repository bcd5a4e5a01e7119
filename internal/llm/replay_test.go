package llm

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"steward/internal/automation"
)

// wire is the recorded answer, read without the SDK.
type wire struct {
	ID, Model, Status string
	Output            []json.RawMessage
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

// expected is the result a recorded completed answer must give.
func (w wire) expected(t *testing.T) *Response {
	out := &Response{ID: w.ID, Model: w.Model, Status: w.Status, Items: w.Output}
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

// TestReplay sends each recorded answer through the real client.
func TestReplay(t *testing.T) {
	t.Parallel()
	answered := 0
	for name, exchanges := range recordings(t) {
		for i, e := range exchanges {
			var w wire
			if e.Response.Status != http.StatusOK || json.Unmarshal(e.Response.Body, &w) != nil || w.Status != "completed" {
				continue // TestRetryTable and TestUnusableAnswers
			}
			answered++
			t.Run(fmt.Sprintf("%s/%d", name, i), func(t *testing.T) {
				t.Parallel()
				c, seen := serve(t, replay(e))
				req := recordedRequest(t, e)
				got, err := c.Respond(t.Context(), req)
				require.NoError(t, err)
				want := w.expected(t)
				want.RequestID = e.Response.Headers["apim-request-id"]
				require.Empty(t, cmp.Diff(want, got))
				require.Len(t, seen, 1)
				requireSent(t, req, <-seen)
			})
		}
	}
	require.GreaterOrEqual(t, answered, 45, "recordings are missing")
}

// recordedRequest is our form of the recorded request: input, instructions, function tools.
func recordedRequest(t *testing.T, e exchange) Request {
	req := Request{Model: "recorded", Input: []json.RawMessage{UserMessage("the request was not recorded")}}
	if e.Request == nil {
		return req
	}
	var body struct {
		Model, Instructions string
		Input               json.RawMessage
		Tools               []struct {
			Type, Name, Description string
			Parameters              json.RawMessage
		}
	}
	require.NoError(t, json.Unmarshal(e.Request.Body, &body))
	req.Model, req.Instructions = body.Model, body.Instructions
	var text string
	if json.Unmarshal(body.Input, &text) == nil {
		req.Input = []json.RawMessage{UserMessage(text)}
	} else {
		require.NoError(t, json.Unmarshal(body.Input, &req.Input))
	}
	for _, tool := range body.Tools {
		if tool.Type == "function" {
			req.Tools = append(req.Tools, Tool{tool.Name, tool.Description, tool.Parameters})
		}
	}
	return req
}

// requireSent checks what the provider received against what was asked for.
func requireSent(t *testing.T, req Request, got received) {
	var body struct {
		Model, Instructions string
		Store, Stream       *bool
		Include             []string
		Input               []json.RawMessage
		Tools               []struct {
			Type, Name, Description string
			Strict                  *bool
			Parameters              json.RawMessage
		}
	}
	require.NoError(t, json.Unmarshal(got.Body, &body))
	require.Equal(t, req.Model, body.Model)
	require.Equal(t, req.Instructions, body.Instructions)
	require.Nil(t, body.Stream)
	require.NotNil(t, body.Store)
	require.False(t, *body.Store)
	require.Equal(t, []string{"reasoning.encrypted_content"}, body.Include)
	require.Len(t, body.Input, len(req.Input))
	for i := range req.Input {
		require.JSONEq(t, string(req.Input[i]), string(body.Input[i]))
	}
	require.Len(t, body.Tools, len(req.Tools))
	for i, tool := range body.Tools {
		require.Equal(t, "function", tool.Type)
		require.Equal(t, req.Tools[i].Name, tool.Name)
		require.JSONEq(t, string(req.Tools[i].Parameters), string(tool.Parameters))
		require.NotNil(t, tool.Strict)
		require.False(t, *tool.Strict)
	}
}
