package llm

import (
	"context"
	"encoding/json"

	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"

	"steward/internal/automation"
)

// compacted are the fields of a request that POST /responses/compact takes.
var compacted = []string{"model", "instructions", "input", "prompt_cache_key"}

// Compact asks the provider to shorten the conversation. The items returned replace the whole Input of the
// next request; they are opaque and stay byte for byte as they are. It costs like an answer, and errors are
// like those of Respond.
func (c *Client) Compact(ctx context.Context, r Request) (items []json.RawMessage, u automation.Usage, err error) {
	params, err := r.params()
	if err != nil {
		return nil, u, err
	}
	body, err := part(params, compacted)
	if err != nil {
		return nil, u, err
	}
	a, err := c.send(ctx, c.guard(nil), func(opts ...option.RequestOption) error {
		opts = append(opts, option.WithRequestBody("application/json", body))
		_, err := c.responses.Compact(ctx, responses.ResponseCompactParams{}, append(opts, r.headers()...)...)
		return err
	})
	if err != nil {
		return nil, u, err
	}
	var w wireResponse
	if json.Unmarshal(a.body, &w) != nil || len(w.Output) == 0 {
		return nil, u, a.blame(nonsense("not a shortened conversation"))
	}
	for _, raw := range w.Output {
		if _, err := object(raw); err != nil {
			return nil, u, a.blame(nonsense("an item that is not an object"))
		}
	}
	return w.Output, readUsage(w.Usage), nil
}
