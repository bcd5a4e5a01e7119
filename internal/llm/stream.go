package llm

import (
	"context"
	"io"
	"mime"
	"net/http"

	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/ssestream"
)

// Progress is one event of a stream, for people who watch.
type Progress struct {
	Event       string // the event's type, such as "response.output_text.delta"; the provider may have new ones
	OutputChars int    // characters of text and arguments so far
	Item        string // the type of the output item that begins or ends with this event, else ""
}

// Stream is Respond with news on the way: told, which may be nil, is called at every event, often and from
// this goroutine. The result is complete only when it is returned.
//
// Errors are like those of Respond. A stream that ends before the answer does is an *Error with CodeCut, and
// ResponseID when the provider had named the response.
func (c *Client) Stream(ctx context.Context, r Request, told func(Progress)) (*Response, error) {
	params, err := r.params()
	if err != nil {
		return nil, err
	}
	var res *http.Response
	opts := append(r.headers(),
		option.WithJSONSet("stream", true), option.WithResponseInto(&res), option.WithResponseBodyInto(&res))
	_, err = c.responses.New(ctx, params, opts...)
	if ctx.Err() != nil {
		closeBody(res)
		return nil, ctx.Err()
	}
	if res == nil {
		return nil, unreachable(err)
	}
	defer closeBody(res)
	a := reply{header: res.Header, guard: c.guard(r.Servers)}
	if res.StatusCode != http.StatusOK {
		return nil, a.guard.refused(res)
	}
	if told == nil {
		told = func(Progress) {}
	}
	if kind, _, err := mime.ParseMediaType(res.Header.Get("Content-Type")); err == nil && kind == "application/json" {
		return a.unstreamed(ctx, res.Body)
	}
	s := stream{guard: a.guard, told: told}
	w, err := s.read(ssestream.NewDecoder(res))
	if err != nil {
		return nil, a.broken(ctx, err)
	}
	out, err := a.sign(w.response(a.guard))
	if e := asError(err); e != nil {
		e.ResponseID = s.id
	}
	return out, err
}

// unstreamed reads the answer of an endpoint that does not stream.
func (a reply) unstreamed(ctx context.Context, body io.Reader) (*Response, error) {
	raw, err := io.ReadAll(body)
	if err != nil {
		return nil, a.broken(ctx, nonsense("it breaks off"))
	}
	a.body = a.guard.scrub(raw)
	return a.response()
}

// broken prefers the context's own error: when it ends, the body breaks off.
func (a reply) broken(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return a.blame(err)
}

func closeBody(res *http.Response) {
	if res != nil {
		_ = res.Body.Close() // read to its end or of no more use
	}
}
