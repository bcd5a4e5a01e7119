package activities

import (
	"encoding/json"

	"steward/internal/automation"
	"steward/internal/llm"
	"steward/internal/store"
)

// hostedInput answers the provider's questions where they stand in the conversation. It returns the calls whose
// approval is news to the provider: it will make them when it reads it.
//
// Whoever approved, an approval is passed on as such only for a call that is claimed for it, or that the
// conversation shows as made. Every other question is answered with no, in words: it was denied, or made on a
// branch that a Temporal Reset has ended, or nobody knows.
func hostedInput(items []json.RawMessage, asked []*store.ToolCall) (input []json.RawMessage, news []*store.ToolCall) {
	questions := make(map[string]*store.ToolCall, len(asked))
	for _, row := range asked {
		questions[row.ProviderRequest] = row
	}
	heads := make([]itemHead, len(items))
	made := map[string]bool{}
	for i, raw := range items {
		if json.Unmarshal(raw, &heads[i]) == nil && heads[i].Type == "mcp_call" {
			made[heads[i].ID] = true
		}
	}
	for i, raw := range items {
		input = append(input, raw)
		row := questions[heads[i].ID]
		if heads[i].Type != "mcp_approval_request" || row == nil {
			continue
		}
		claimed := automation.CallState(row.State) == automation.CallClaimed
		if claimed {
			news = append(news, row)
		}
		if claimed || made[row.Receipt] {
			input = append(input, llm.ApprovalResponse(row.ProviderRequest, true, ""))
		} else {
			input = append(input, llm.ApprovalResponse(row.ProviderRequest, false, refusalOf(row)))
		}
	}
	return input, news
}

type itemHead struct{ Type, ID string }

// refusalOf says to the model why a call is not made.
func refusalOf(row *store.ToolCall) string {
	switch automation.CallState(row.State) {
	case automation.CallDone:
		return "it was made already, before the run was reset, and must not happen twice"
	case automation.CallUnknown:
		return "it may have been made already, and must not happen twice"
	}
	return row.Reason
}
