package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/oauth"
)

// failed answers a browser whose flow came to nothing. Somebody who wanted to connect an account goes back to the
// application that sent them, which learns no more than that; everybody else is told why.
func (c flowCookies) failed(ctx context.Context, state string, done oauth.Finished, err error) (*callbackOutput, error) {
	if done.Purpose != oauth.Connect || done.Redirect == "" {
		return nil, err
	}
	note(ctx, problemOf(err), err) // the access log has the reason
	body, err := goesTo(done, "error")
	return &callbackOutput{Cookie: c.clear(state), Body: body}, err
}

// goesTo sends the browser of a connect flow to where the connect call said.
func goesTo(done oauth.Finished, status string) (func(huma.Context), error) {
	target, err := landing(done, status)
	return func(c huma.Context) {
		c.SetHeader("Location", target)
		c.SetStatus(http.StatusFound)
	}, err
}

// goesOn is for those who have consented, perhaps to less than they were asked.
func goesOn(done oauth.Finished) (func(huma.Context), error) {
	if len(done.Missing) > 0 {
		return goesTo(done, "partial")
	}
	return goesTo(done, "success")
}
