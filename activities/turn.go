package activities

import "encoding/json"

// asked is what one turn of the model asks for, read from its items.
type asked struct {
	functions map[string]bool // calls for us, by id
	questions bool            // the provider asks for approval of calls of its own
	text      string          // of the last message
}

func (a asked) nothing() bool { return len(a.functions) == 0 && !a.questions }

// calledIn reads a turn; what it cannot read asks for nothing.
func calledIn(items []json.RawMessage) asked {
	a := asked{functions: map[string]bool{}}
	for _, raw := range items {
		var it struct {
			Type    string
			CallID  string `json:"call_id"`
			Content json.RawMessage
		}
		if json.Unmarshal(raw, &it) != nil {
			continue
		}
		switch it.Type {
		case "function_call":
			a.functions[it.CallID] = true
		case "mcp_approval_request":
			a.questions = true
		case "message":
			a.text = textOf(it.Content)
		}
	}
	return a
}

func textOf(content json.RawMessage) (text string) {
	var parts []struct{ Type, Text string }
	if json.Unmarshal(content, &parts) != nil {
		return ""
	}
	for _, p := range parts {
		if p.Type == "output_text" {
			text += p.Text
		}
	}
	return text
}
