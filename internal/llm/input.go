package llm

import "encoding/json"

// UserMessage is an input item with a person's words.
func UserMessage(text string) json.RawMessage {
	return item(struct {
		Type    string `json:"type"`
		Role    string `json:"role"`
		Content string `json:"content"`
	}{"message", "user", text})
}

// FunctionOutput is the input item that answers the call with this id. Every call of a response must be
// answered in the next request, in the order of the calls.
func FunctionOutput(callID, text string) json.RawMessage {
	return item(struct {
		Type   string `json:"type"`
		CallID string `json:"call_id"`
		Output string `json:"output"`
	}{"function_call_output", callID, text})
}

// item encodes a struct of strings, which cannot fail: invalid UTF-8 becomes U+FFFD.
func item(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic("llm: encode input item: " + err.Error())
	}
	return b
}

// EstimateTokens guesses the tokens of so many bytes of text, at 3.5 characters each and rounded up. It
// serves reservations where the provider cannot count; what was used comes from Response.Usage.
func EstimateTokens(bytes int) int64 { return (int64(bytes)*2 + 6) / 7 }
