package llm

import (
	"context"

	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"
)

// Respond asks for one turn and waits for it. It sends exactly one request.
//
// The error is the context's own (errors.Is with context.Canceled or DeadlineExceeded) when ctx ended,
// otherwise an *Error. After an error it is unknown whether the provider did and charges the work, except
// where Error.Status names a refusal: the API has no idempotency key. With Servers the same holds for what
// the provider did there.
func (c *Client) Respond(ctx context.Context, r Request) (*Response, error) {
	params, err := r.params()
	if err != nil {
		return nil, err
	}
	a, err := c.create(ctx, r, params)
	if err != nil {
		return nil, err
	}
	return a.response()
}

// create is POST /responses.
func (c *Client) create(ctx context.Context, r Request, params responses.ResponseNewParams) (reply, error) {
	return c.send(ctx, c.guard(r.Servers), func(opts ...option.RequestOption) error {
		_, err := c.responses.New(ctx, params, append(opts, r.headers()...)...)
		return err
	})
}

// headers are what a request sends beside its body.
func (r Request) headers() []option.RequestOption {
	if r.RequestID == "" {
		return nil
	}
	return []option.RequestOption{option.WithHeader("X-Client-Request-Id", r.RequestID)}
}
