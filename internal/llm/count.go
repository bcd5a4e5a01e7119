package llm

import (
	"context"
	"encoding/json"

	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"
)

// counted are the parts of a request that have tokens.
var counted = []string{"model", "instructions", "input", "tools", "text"}

// CountTokens asks how many input tokens the request has, which costs nothing. The tools of Servers are not
// in the number: the provider learns them while it answers. Errors are like those of Respond.
func (c *Client) CountTokens(ctx context.Context, r Request) (int64, error) {
	r.Servers = nil
	params, err := r.params()
	if err != nil {
		return 0, err
	}
	body, err := part(params, counted)
	if err != nil {
		return 0, err
	}
	a, err := c.send(ctx, c.guard(nil), func(opts ...option.RequestOption) error {
		opts = append(opts, option.WithRequestBody("application/json", body))
		_, err := c.responses.InputTokens.Count(ctx, responses.InputTokenCountParams{}, append(opts, r.headers()...)...)
		return err
	})
	if err != nil {
		return 0, err
	}
	var w struct {
		InputTokens *int64 `json:"input_tokens"`
	}
	if json.Unmarshal(a.body, &w) != nil || w.InputTokens == nil || *w.InputTokens < 0 {
		return 0, a.blame(nonsense("not a number of tokens"))
	}
	return *w.InputTokens, nil
}

// part is the request's body with these fields only. Other addresses take the same fields, but the SDK has
// types of their own for them; this way they are sent what the request itself sends.
func part(params responses.ResponseNewParams, fields []string) ([]byte, error) {
	raw, err := json.Marshal(params)
	if err != nil {
		return nil, badRequest("it cannot be encoded")
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, badRequest("it cannot be encoded")
	}
	some := make(map[string]json.RawMessage, len(fields))
	for _, name := range fields {
		if v, ok := all[name]; ok {
			some[name] = v
		}
	}
	return json.Marshal(some)
}
