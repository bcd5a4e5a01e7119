package llm

import (
	"context"
	"net/http"
	"strconv"
	"time"
)

// pace says how an answer is waited for.
type pace struct {
	first, slowest time.Duration // between two looks; each wait is half as long again as the one before
	patience       time.Duration // how long looks may fail in a row
}

// Await looks for an answer that Start began until it is final. The first look is at once, for whoever comes
// back after an outage; told, which may be nil, gets the status of each.
//
// A look costs nothing, so failed ones that may pass (no connection, 408, 409, 429, 5xx, a broken body) are
// repeated for two minutes, at the pace the provider asks for. Otherwise the error is ctx's own or an *Error:
// CodeGone when the provider no longer keeps the answer, CodeCancelled when the work was stopped, or what
// became of the answer.
func (c *Client) Await(ctx context.Context, id string, told func(status string)) (*Response, error) {
	wait, seen := c.pace.first, time.Now()
	for {
		a, h, err := c.look(ctx, id)
		next := wait
		switch e := asError(err); {
		case err == nil && !h.working():
			return a.response()
		case err == nil:
			seen = time.Now()
			if told != nil {
				told(h.Status)
			}
			if asked := pollAfter(a.header); asked > 0 {
				next = asked
			}
		case e == nil || !e.Retryable || time.Since(seen) > c.pace.patience:
			return nil, err
		default:
			next = max(wait, e.RetryAfter)
		}
		if err := sleep(ctx, next); err != nil {
			return nil, err
		}
		wait = min(wait*3/2, c.pace.slowest)
	}
}

// pollAfter is when the provider wants to be asked again, 0 if it does not say.
func pollAfter(h http.Header) time.Duration {
	ms, err := strconv.ParseInt(h.Get("Openai-Poll-After-Ms"), 10, 64)
	if err != nil || ms <= 0 {
		return 0
	}
	return time.Duration(min(ms, 60_000)) * time.Millisecond
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
