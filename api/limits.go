package api

import (
	"net/http"
	"time"

	"github.com/go-chi/httprate"

	"steward/internal/fault"
)

// Rates are the edge's limits: calls a minute, and streams at once. Each process counts for itself.
type Rates struct {
	Create  int // calls that create something, a minute and user
	Read    int // all other calls, a minute and user; also failed sign-ins, a minute and address
	APIKey  int // calls a minute and API key
	MCP     int // requests to our MCP server, a minute and user
	Calls   int // calls of tools outside runs, a minute and user
	Login   int // sign-ins a minute and address, each way in counted for itself
	Streams int // event streams at once and user
}

// limiter counts requests in sliding windows of a minute.
type limiter struct {
	create, read, apiKey, mcp, calls, failed, login *httprate.RateLimiter
}

func newLimiter(r Rates) *limiter {
	per := func(n int) *httprate.RateLimiter { return httprate.NewRateLimiter(n, time.Minute) }
	return &limiter{
		create: per(r.Create), read: per(r.Read), apiKey: per(r.APIKey), mcp: per(r.MCP), calls: per(r.Calls), failed: per(r.Read), login: per(r.Login),
	}
}

// take counts one request of key against l and sets X-RateLimit-*.
func take(l *httprate.RateLimiter, w http.ResponseWriter, r *http.Request, key string) error {
	if !l.OnLimit(w, r, key) {
		return nil
	}
	return fault.New(fault.Exhausted, "too many requests; wait before the next").WithCode("rate_limited").WithRetryAfter(time.Minute)
}
