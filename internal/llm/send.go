package llm

import (
	"context"
	"net/http"

	"github.com/openai/openai-go/v3/option"
)

// reply is what came with status 200.
type reply struct {
	body   []byte // secrets of the request taken out
	header http.Header
	guard  guard
}

// send makes one request through the SDK. The error is ctx's own when that ended, otherwise an *Error.
func (c *Client) send(ctx context.Context, g guard, do func(opts ...option.RequestOption) error) (reply, error) {
	var (
		res  *http.Response
		body []byte
	)
	err := do(option.WithResponseInto(&res), option.WithResponseBodyInto(&body))
	if ctx.Err() != nil {
		return reply{}, ctx.Err()
	}
	if res == nil {
		return reply{}, unreachable(err)
	}
	// The status decides, not err: an error body of an unexpected shape makes the SDK return a decoding error.
	if res.StatusCode != http.StatusOK {
		return reply{}, g.refused(res)
	}
	a := reply{body: g.scrub(body), header: res.Header, guard: g}
	if err != nil { // the body broke off or is longer than maxBody
		return reply{}, a.blame(nonsense("it breaks off"))
	}
	return a, nil
}

// response reads the answer as one of the model.
func (a reply) response() (*Response, error) {
	res, err := decode(a.body, a.guard)
	return a.sign(res, err)
}

// sign adds to a result or an *Error which exchange it is from.
func (a reply) sign(res *Response, err error) (*Response, error) {
	if err != nil {
		return nil, a.blame(err)
	}
	res.RequestID = a.guard.requestID(a.header)
	return res, nil
}

// blame is sign for errors alone.
func (a reply) blame(err error) error {
	if e := asError(err); e != nil {
		e.RequestID = a.guard.requestID(a.header)
	}
	return err
}
