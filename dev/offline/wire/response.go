package wire

import "encoding/json"

// Statuses of a response.
const (
	Queued     = "queued"
	InProgress = "in_progress"
	Completed  = "completed"
	Incomplete = "incomplete"
	Failed     = "failed"
	Cancelled  = "cancelled"
)

// Response is the response object. Unlike the real service it does not echo instructions and tools:
// no client reads them there, and they are most of the bytes.
type Response struct {
	ID                 string            `json:"id"`
	Object             string            `json:"object"`
	CreatedAt          int64             `json:"created_at"`
	CompletedAt        *int64            `json:"completed_at"`
	Status             string            `json:"status"`
	Background         bool              `json:"background"`
	Error              *Problem          `json:"error"`
	IncompleteDetails  *Reason           `json:"incomplete_details"`
	Instructions       *string           `json:"instructions"`
	MaxOutputTokens    *int              `json:"max_output_tokens"`
	Metadata           map[string]string `json:"metadata"`
	Model              string            `json:"model"`
	Output             []Output          `json:"output"`
	ParallelToolCalls  bool              `json:"parallel_tool_calls"`
	PreviousResponseID *string           `json:"previous_response_id"`
	ServiceTier        string            `json:"service_tier"`
	Store              bool              `json:"store"`
	Temperature        float64           `json:"temperature"`
	Text               json.RawMessage   `json:"text"`
	ToolChoice         json.RawMessage   `json:"tool_choice"`
	Tools              []struct{}        `json:"tools"`
	TopP               float64           `json:"top_p"`
	Truncation         string            `json:"truncation"`
	Usage              *Usage            `json:"usage"`
}

// Problem is why a response failed.
type Problem struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Reason is why a response is incomplete.
type Reason struct {
	Reason string `json:"reason"`
}

// Output is a message or a function call.
type Output struct {
	Type      string  `json:"type"`
	ID        string  `json:"id"`
	Status    string  `json:"status"`
	Role      string  `json:"role,omitempty"`
	Content   []Part  `json:"content,omitzero"`
	CallID    string  `json:"call_id,omitempty"`
	Name      string  `json:"name,omitempty"`
	Arguments *string `json:"arguments,omitempty"`
}

// Part is a text or a refusal.
type Part struct {
	Type        string     `json:"type"`
	Text        *string    `json:"text,omitempty"`
	Refusal     *string    `json:"refusal,omitempty"`
	Annotations []struct{} `json:"annotations,omitzero"`
	Logprobs    []struct{} `json:"logprobs,omitzero"`
}

// Text makes a part of text.
func Text(text string) Part {
	return Part{Type: "output_text", Text: &text, Annotations: []struct{}{}, Logprobs: []struct{}{}}
}

// Refusal makes a refusing part.
func Refusal(text string) Part { return Part{Type: "refusal", Refusal: &text} }

// Item is the output as it stands in the context of a later request.
func (o Output) Item() Item {
	item := Item{Type: o.Type, Role: o.Role, CallID: o.CallID, Name: o.Name}
	if o.Arguments != nil {
		item.Arguments = Content(*o.Arguments)
	}
	for _, part := range o.Content {
		if part.Text != nil {
			item.Content += Content(*part.Text)
		}
	}
	item.chars = len([]rune(string(item.Content+item.Arguments))) + len(item.Name)
	return item
}

// Unfinished is the response as it looks before its output exists.
func (r Response) Unfinished(status string) *Response {
	r.Status = status
	r.Output = []Output{}
	r.CompletedAt, r.Error, r.IncompleteDetails, r.Usage = nil, nil, nil, nil
	return &r
}
