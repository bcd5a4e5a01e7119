package wire

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// Input is the list of items; a plain text stands for one message of the user.
type Input []Item

// Item is one entry of the conversation. Types that the model does not use are kept and ignored.
type Item struct {
	Type      string  `json:"type"`
	Role      string  `json:"role"`
	Content   Content `json:"content"`
	CallID    string  `json:"call_id"`
	Name      string  `json:"name"`
	Arguments Content `json:"arguments"`
	Output    Content `json:"output"`
	chars     int
}

// Content is text, written as a text or as a list of parts. What is no text is dropped: it belongs to
// items that this model does not use.
type Content string

// UnmarshalJSON accepts a text or a list of items.
func (in *Input) UnmarshalJSON(data []byte) error {
	var text string
	if data[0] == '"' {
		if err := json.Unmarshal(data, &text); err != nil {
			return err
		}
		*in = Input{Message("user", text)}
		return nil
	}
	return json.Unmarshal(data, (*[]Item)(in))
}

// Message makes a message item.
func Message(role, text string) Item {
	return Item{Type: "message", Role: role, Content: Content(text), chars: utf8.RuneCountInString(text)}
}

// UnmarshalJSON fills in the type that messages may leave out and notes the size for the usage.
func (i *Item) UnmarshalJSON(data []byte) error {
	type plain Item
	if err := json.Unmarshal(data, (*plain)(i)); err != nil {
		return err
	}
	if i.Type == "" && i.Role != "" {
		i.Type = "message"
	}
	i.chars = utf8.RuneCount(data)
	return nil
}

// UnmarshalJSON accepts a text or a list of parts.
func (c *Content) UnmarshalJSON(data []byte) error {
	switch data[0] {
	case '"':
		return json.Unmarshal(data, (*string)(c))
	case '[':
	default:
		return nil
	}
	var parts []struct {
		Text string `json:"text"`
	}
	if err := json.Unmarshal(data, &parts); err != nil {
		return nil //nolint:nilerr // a list of something else
	}
	var texts []string
	for _, part := range parts {
		if part.Text != "" {
			texts = append(texts, part.Text)
		}
	}
	*c = Content(strings.Join(texts, "\n"))
	return nil
}

// CheckCalls refuses a context in which a call has no output or an output no call, as the real
// service does. A client that loses one of them has a bug that should show here already.
func CheckCalls(context []Item) error {
	open := map[string]bool{}
	for _, item := range context {
		switch item.Type {
		case "function_call":
			open[item.CallID] = true
		case "function_call_output":
			if _, known := open[item.CallID]; !known {
				return BadRequest("input", "", "No tool call found for function call output with call_id %s.", item.CallID)
			}
			open[item.CallID] = false
		case "item_reference":
			return BadRequest("input", "unsupported_parameter", "Item references are not supported.")
		}
	}
	for _, item := range context {
		if item.Type == "function_call" && open[item.CallID] {
			return BadRequest("input", "", "No tool output found for function call %s.", item.CallID)
		}
	}
	return nil
}
