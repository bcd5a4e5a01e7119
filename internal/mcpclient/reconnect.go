package mcpclient

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"time"
)

// pace is a Reconnect with its defaults, or zero where all of them are go-sdk's own. Of the four settings go-sdk has
// only the number of attempts. It waits as long as the stream says (the field "retry"), so the first wait is written
// into the stream; what fails after that is tried again below go-sdk.
type pace Reconnect

func (r Reconnect) pace() pace {
	if r == (Reconnect{}) {
		return pace{}
	}
	if r.First <= 0 {
		r.First = time.Second
	}
	if r.Grow < 1 {
		r.Grow = 1.5
	}
	if r.Most <= 0 {
		r.Most = 30 * time.Second
	}
	if r.Retries <= 0 {
		r.Retries = 5
	}
	return pace(r)
}

// again waits after an attempt that failed, counted from 0, and reports whether there is another.
func (p pace) again(ctx context.Context, attempt int) bool {
	if attempt+1 >= p.Retries {
		return false
	}
	wait := min(float64(p.First)*math.Pow(p.Grow, float64(attempt+1)), float64(p.Most))
	timer := time.NewTimer(time.Duration(wait))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// hint puts the first wait at the head of an event stream. A server that names its own is heard later, and wins.
func (p pace) hint(body io.ReadCloser, resp *http.Response) io.ReadCloser {
	if p == (pace{}) || !isStream(resp) {
		return body
	}
	head := fmt.Sprintf("retry: %d\n\n", min(p.First, p.Most).Milliseconds())
	return struct {
		io.Reader
		io.Closer
	}{io.MultiReader(strings.NewReader(head), body), body}
}
