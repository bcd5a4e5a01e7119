package mcpclient

import (
	"encoding/json"
	"fmt"
)

// Tool is one entry of tools/list. Definition is the server's own text, the thing to pin; the fields are
// what policy and prompts need of it. A hint is nil when the server did not give it, which is not false.
type Tool struct {
	Name         string
	Title        string
	Description  string
	InputSchema  json.RawMessage
	OutputSchema json.RawMessage // nil if absent
	ReadOnly     *bool
	Destructive  *bool
	Idempotent   *bool
	OpenWorld    *bool
	Meta         map[string]json.RawMessage // _meta
	Definition   json.RawMessage
}

// parseTool reads one entry. Only what cannot be called at all is refused.
func parseTool(raw json.RawMessage) (Tool, error) {
	var wire struct {
		Name         string          `json:"name"`
		Title        string          `json:"title"`
		Description  string          `json:"description"`
		InputSchema  json.RawMessage `json:"inputSchema"`
		OutputSchema json.RawMessage `json:"outputSchema"`
		Annotations  struct {
			Title           string `json:"title"`
			ReadOnlyHint    *bool  `json:"readOnlyHint"`
			DestructiveHint *bool  `json:"destructiveHint"`
			IdempotentHint  *bool  `json:"idempotentHint"`
			OpenWorldHint   *bool  `json:"openWorldHint"`
		} `json:"annotations"`
		Meta map[string]json.RawMessage `json:"_meta"`
	}
	if err := decode(raw, &wire); err != nil {
		return Tool{}, fmt.Errorf("reading a tool definition: %w", err)
	}
	if wire.Name == "" {
		return Tool{}, fmt.Errorf("reading a tool definition: it has no name")
	}
	title := wire.Title
	if title == "" {
		title = wire.Annotations.Title
	}
	return Tool{
		Name: wire.Name, Title: title, Description: wire.Description,
		InputSchema: wire.InputSchema, OutputSchema: wire.OutputSchema,
		ReadOnly: wire.Annotations.ReadOnlyHint, Destructive: wire.Annotations.DestructiveHint,
		Idempotent: wire.Annotations.IdempotentHint, OpenWorld: wire.Annotations.OpenWorldHint,
		Meta: wire.Meta, Definition: raw,
	}, nil
}

// toolPage is one answer to tools/list. TTL is nil on servers older than SEP-2549.
type toolPage struct {
	Tools []json.RawMessage `json:"tools"`
	Next  string            `json:"nextCursor"`
	TTL   *int64            `json:"ttlMs"`
}
