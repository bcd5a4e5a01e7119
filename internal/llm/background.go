package llm

import (
	"context"
	"regexp"

	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/responses"
)

// Start asks for one turn to be worked on in the background and returns as soon as the provider has taken
// it: the id to fetch the answer by, and its status, mostly "queued". A caller that stores the id before it
// goes on does not pay twice when it dies. Errors are like those of Respond.
//
// Store stays false wherever the provider can be asked for the answer nevertheless. OpenAI keeps background
// answers for about ten minutes without it, and a copy of every conversation for 30 days with it: an outage
// of ours that is longer than ten minutes may cost one answer, which is cheaper than that copy.
func (c *Client) Start(ctx context.Context, r Request) (id, status string, err error) {
	params, err := r.params()
	if err != nil {
		return "", "", err
	}
	params.Background = param.NewOpt(true)
	params.Store = param.NewOpt(c.current().stored)
	a, err := c.create(ctx, r, params)
	if err != nil {
		return "", "", err
	}
	h, err := a.head()
	if err != nil {
		return "", "", err
	}
	if !h.Background && !h.working() { // nothing would be found under the id
		return "", "", a.blame(&Error{
			Code: CodeBadResponse, Status: 200,
			Message: "the model provider does not work in the background: set STEWARD_MODEL_FEATURES=-background",
		})
	}
	return h.ID, h.Status, nil
}

// Retrieve looks once for an answer that Start began. False means that the provider still works on it.
// Errors are like those of Await.
func (c *Client) Retrieve(ctx context.Context, id string) (*Response, bool, error) {
	a, h, err := c.look(ctx, id)
	if err != nil || h.working() {
		return nil, false, err
	}
	res, err := a.response()
	return res, err == nil, err
}

// look is GET /responses/{id}.
func (c *Client) look(ctx context.Context, id string) (reply, head, error) {
	if err := checkID(id); err != nil {
		return reply{}, head{}, err
	}
	a, err := c.send(ctx, c.guard(nil), func(opts ...option.RequestOption) error {
		_, err := c.responses.Get(ctx, id, responses.ResponseGetParams{}, opts...)
		return err
	})
	if err != nil {
		return reply{}, head{}, gone(err)
	}
	h, err := a.head()
	return a, h, err
}

// Cancel tells the provider to stop the work that Start began. It is not an error that it was done already;
// an *Error with CodeGone says that the provider no longer knows it.
func (c *Client) Cancel(ctx context.Context, id string) error {
	if err := checkID(id); err != nil {
		return err
	}
	_, err := c.send(ctx, c.guard(nil), func(opts ...option.RequestOption) error {
		_, err := c.responses.Cancel(ctx, id, opts...)
		return err
	})
	return gone(err)
}

// gone tells a response that is no longer kept from an address that is not known.
func gone(err error) error {
	if e := asError(err); e != nil && e.Status == 404 {
		e.Code, e.Message = CodeGone, "the model provider no longer keeps the answer"
	}
	return err
}

var responseIDPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.:-]{0,255}$`)

// checkID refuses what would be another address than that of a response.
func checkID(id string) error {
	if !responseIDPattern.MatchString(id) {
		return badRequest("the id of the response is not one")
	}
	return nil
}
