// Package wire is the OpenAI Responses wire format as far as the offline model speaks it: requests,
// responses, stream events and errors. Shapes follow recorded traffic of the real service.
package wire

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"unicode/utf8"
)

// Request is the body of POST /v1/responses and of POST /v1/responses/input_tokens.
type Request struct {
	Model              string            `json:"model"`
	Input              Input             `json:"input"`
	Instructions       string            `json:"instructions"`
	Tools              []Tool            `json:"tools"`
	ToolChoice         json.RawMessage   `json:"tool_choice"`
	ParallelToolCalls  *bool             `json:"parallel_tool_calls"`
	PreviousResponseID string            `json:"previous_response_id"`
	MaxOutputTokens    *int              `json:"max_output_tokens"`
	Metadata           map[string]string `json:"metadata"`
	Store              *bool             `json:"store"`
	Stream             bool              `json:"stream"`
	Background         bool              `json:"background"`
	Text               struct {
		Format Format `json:"format"`
	} `json:"text"`

	digest string
}

// Format says what a final text must be: prose ("text" or nothing) or JSON of a schema ("json_schema").
type Format struct {
	Type   string          `json:"type"`
	Name   string          `json:"name"`
	Schema json.RawMessage `json:"schema"`
}

// Tool is an offered tool; only function tools can be used.
type Tool struct {
	Type        string          `json:"type"`
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Parameters  json.RawMessage `json:"parameters"`
	chars       int
}

// Decode reads a request. Its errors are *Error values that can be sent to the client.
func Decode(body []byte) (*Request, error) {
	r := &Request{}
	if err := json.Unmarshal(body, r); err != nil {
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field != "" {
			return nil, BadRequest(wrong.Field, "invalid_type", "Invalid type for '%s': got %s.", wrong.Field, wrong.Value)
		}
		return nil, BadRequest("", "", "We could not parse the JSON body of your request.")
	}
	digest, err := digest(body)
	if err != nil {
		return nil, BadRequest("", "", "We could not parse the JSON body of your request.")
	}
	r.digest = digest
	return r, r.check()
}

func (r *Request) check() error {
	if r.Model == "" {
		return BadRequest("model", "missing_required_parameter", "Missing required parameter: 'model'.")
	}
	if len(r.Input) == 0 && r.PreviousResponseID == "" {
		return BadRequest("input", "missing_required_parameter", "Missing required parameter: 'input'.")
	}
	switch f := r.Text.Format; {
	case f.Type == "json_schema" && f.Name == "":
		return BadRequest("text.format.name", "missing_required_parameter", "Missing required parameter: 'text.format.name'.")
	case f.Type == "json_schema" && f.Schema == nil:
		return BadRequest("text.format.schema", "missing_required_parameter", "Missing required parameter: 'text.format.schema'.")
	case f.Type != "" && f.Type != "text" && f.Type != "json_schema":
		return BadRequest("text.format", "unsupported_parameter", "This model answers in plain text or in JSON of a schema only.")
	}
	for _, tool := range r.Tools {
		if tool.Type != "function" || tool.Name == "" {
			return BadRequest("tools", "unsupported_parameter", "This model supports function tools only.")
		}
	}
	return nil
}

// digest identifies a request by its content: the order of keys, white space, and how the answer is
// to be delivered make no difference.
func digest(body []byte) (string, error) {
	var fields map[string]any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(&fields); err != nil {
		return "", err
	}
	for _, delivery := range []string{"stream", "stream_options", "background", "store"} {
		delete(fields, delivery)
	}
	canonical, err := json.Marshal(fields)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(canonical)
	return hex.EncodeToString(sum[:20]), nil
}

// Digest is the hex hash of the canonical request, from which all ids are made.
func (r *Request) Digest() string { return r.digest }

// Parallel reports whether several calls in one response are allowed, which is the default.
func (r *Request) Parallel() bool { return r.ParallelToolCalls == nil || *r.ParallelToolCalls }

// Stored reports whether the response is kept, which is the default.
func (r *Request) Stored() bool { return r.Store == nil || *r.Store }

// InputTokens estimates the size of the whole context, as characters / 4.
func (r *Request) InputTokens(context []Item) int {
	chars := utf8.RuneCountInString(r.Instructions)
	for _, item := range context {
		chars += item.chars
	}
	for _, tool := range r.Tools {
		chars += tool.chars
	}
	return Tokens(chars)
}

// UnmarshalJSON notes the size for the usage.
func (t *Tool) UnmarshalJSON(data []byte) error {
	type plain Tool
	if err := json.Unmarshal(data, (*plain)(t)); err != nil {
		return err
	}
	t.chars = utf8.RuneCount(data)
	return nil
}
