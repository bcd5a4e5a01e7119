package activities

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/automation"
	"steward/internal/store"
)

func TestHostedInput(t *testing.T) {
	t.Parallel()
	user := json.RawMessage(`{"type":"message","role":"user","content":"x"}`)
	question := json.RawMessage(`{"type":"mcp_approval_request","id":"q1","arguments":"{}"}`)
	call := json.RawMessage(`{"type":"mcp_call","id":"c1"}`)
	for name, tc := range map[string]struct {
		state   automation.CallState
		receipt string
		items   []json.RawMessage
		approve bool
		reason  string
		news    bool
	}{
		"claimed: it is passed on":                  {automation.CallClaimed, "", []json.RawMessage{user, question}, true, "", true},
		"done in this conversation: history":        {automation.CallDone, "c1", []json.RawMessage{user, question, call}, true, "", false},
		"unknown, but part of the conversation":     {automation.CallUnknown, "c1", []json.RawMessage{user, question, call}, true, "", false},
		"done before a reset: not again":            {automation.CallDone, "c7", []json.RawMessage{user, question}, false, "must not happen twice", false},
		"unknown, and nobody saw an answer":         {automation.CallUnknown, "r/1", []json.RawMessage{user, question}, false, "must not happen twice", false},
		"denied":                                    {automation.CallDenied, "", []json.RawMessage{user, question}, false, "words of a person", false},
		"skipped":                                   {automation.CallSkipped, "r/1", []json.RawMessage{user, question}, false, "words of a person", false},
		"refused, before anybody was asked":         {automation.CallFailed, "", []json.RawMessage{user, question}, false, "words of a person", false},
		"the same id on a branch that is not there": {automation.CallClaimed, "", []json.RawMessage{user}, false, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			row := &store.ToolCall{ProviderRequest: "q1", State: string(tc.state), Receipt: tc.receipt, Reason: "words of a person"}
			input, news := hostedInput(tc.items, []*store.ToolCall{row})
			require.Equal(t, tc.news, len(news) == 1)
			if len(tc.items) == 1 {
				require.Equal(t, tc.items, input)
				return
			}
			require.Equal(t, question, input[1])
			var answer struct {
				Type     string
				Question string `json:"approval_request_id"`
				Approve  bool
				Reason   string
			}
			require.NoError(t, json.Unmarshal(input[2], &answer))
			require.Equal(t, "mcp_approval_response q1", answer.Type+" "+answer.Question, "right after its question")
			require.Equal(t, tc.approve, answer.Approve)
			require.Contains(t, answer.Reason, tc.reason)
		})
	}
}

func FuzzHostedInput(f *testing.F) {
	f.Add([]byte(`{"type":"mcp_approval_request","id":"q1"}`), "claimed")
	f.Add([]byte(`[]`), "done")
	f.Add([]byte(`{"type":7}`), "denied")
	f.Fuzz(func(t *testing.T, item []byte, state string) {
		row := &store.ToolCall{ProviderRequest: "q1", State: state}
		input, news := hostedInput([]json.RawMessage{item}, []*store.ToolCall{row})
		require.LessOrEqual(t, len(input), 2)
		require.Equal(t, len(news) == 1, len(input) == 2 && state == string(automation.CallClaimed))
		require.Equal(t, string(item), string(input[0]), "what the provider said goes back byte for byte")
	})
}
