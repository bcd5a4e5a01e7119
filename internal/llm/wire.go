package llm

import (
	"encoding/json"

	"steward/internal/automation"
)

// The answer as it is on the wire, as far as it is used. The SDK's own Response is not: it decodes the
// echoed tools and instructions too, at a cost that grows with the square of their nesting (0.25 s for
// 54 KB), its Marshal is not the wire form, and to it an empty object is a success.
type wireResponse struct {
	ID, Status, Model string
	ServiceTier       string `json:"service_tier"`
	Error             problem
	IncompleteDetails struct{ Reason string } `json:"incomplete_details"`
	Output            []json.RawMessage
	Moderation        json.RawMessage
	Usage             json.RawMessage
}

// flagged is the side of the exchange that moderation flagged, "" if none.
func flagged(moderation json.RawMessage) string {
	var m struct{ Input, Output struct{ Flagged bool } }
	_ = json.Unmarshal(moderation, &m) // mostly absent; what is of another shape has flagged nothing
	switch {
	case m.Input.Flagged:
		return "input"
	case m.Output.Flagged:
		return "output"
	}
	return ""
}

type wireMessage struct {
	Content []struct{ Type, Text, Refusal string }
}

func (m wireMessage) words() (text, refusal string) {
	for _, part := range m.Content {
		switch part.Type {
		case "output_text":
			text += part.Text
		case "refusal":
			refusal += part.Refusal
		}
	}
	return text, refusal
}

type wireCall struct {
	CallID       string `json:"call_id"`
	Name, Status string
	Arguments    json.RawMessage // the text the model wrote; some servers send the object instead of its text
}

type wireUsage struct {
	InputTokens  int64 `json:"input_tokens"`
	InputDetails struct {
		CachedTokens int64 `json:"cached_tokens"`
	} `json:"input_tokens_details"`
	OutputTokens  int64 `json:"output_tokens"`
	OutputDetails struct {
		ReasoningTokens int64 `json:"reasoning_tokens"`
	} `json:"output_tokens_details"`
	TotalTokens int64 `json:"total_tokens"`
}

// readUsage is unknown when the provider sent none, something else or, as recorded, only zeros: an answer
// is never free.
func readUsage(raw json.RawMessage) automation.Usage {
	var u wireUsage
	if len(raw) == 0 || json.Unmarshal(raw, &u) != nil || u.InputTokens < 0 || u.OutputTokens < 0 ||
		u.InputTokens+u.OutputTokens <= 0 {
		return automation.Usage{}
	}
	return automation.Usage{
		InputTokens: u.InputTokens, CachedTokens: u.InputDetails.CachedTokens,
		OutputTokens: u.OutputTokens, ReasoningTokens: u.OutputDetails.ReasoningTokens,
		TotalTokens: max(u.TotalTokens, u.InputTokens+u.OutputTokens), Known: true,
	}
}
