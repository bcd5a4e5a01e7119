package llm

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"regexp"

	"github.com/openai/openai-go/v3/option"
)

// Respond asks for one turn and waits for it. It sends exactly one request.
//
// The error is the context's own (errors.Is with context.Canceled or DeadlineExceeded) when ctx ended,
// otherwise an *Error. After an error it is unknown whether the provider did and charges the work, except
// where Error.Status names a refusal: the API has no idempotency key.
func (c *Client) Respond(ctx context.Context, r Request) (*Response, error) {
	params, err := r.params()
	if err != nil {
		return nil, &Error{Code: CodeBadRequest, Message: "the request to the model cannot be built: " + err.Error()}
	}
	var (
		answer *http.Response
		body   []byte
	)
	opts := []option.RequestOption{option.WithResponseInto(&answer), option.WithResponseBodyInto(&body)}
	if r.RequestID != "" {
		opts = append(opts, option.WithHeader("X-Client-Request-Id", r.RequestID))
	}
	_, err = c.responses.New(ctx, params, opts...)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if answer == nil {
		return nil, unreachable(err)
	}
	// The status decides, not err: an error body of an unexpected shape makes the SDK return a decoding error.
	if answer.StatusCode != http.StatusOK {
		return nil, c.refused(answer)
	}
	id := c.requestID(answer.Header)
	if err != nil { // the body broke off or is longer than maxBody
		err = nonsense("it breaks off")
	}
	var res *Response
	if err == nil {
		res, err = decode(body)
	}
	if e, ok := errors.AsType[*Error](err); ok {
		e.RequestID = id
		if c.safe(e.Code) == "" {
			e.Code = "failed"
		}
		return nil, e
	}
	res.RequestID = id
	return res, nil
}

var idPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)

// requestID is the provider's own id of the exchange; Azure has a header of its own.
func (c *Client) requestID(h http.Header) string {
	id := cmp.Or(h.Get("X-Request-Id"), h.Get("Apim-Request-Id"))
	if !idPattern.MatchString(id) {
		return ""
	}
	return c.safe(id)
}
