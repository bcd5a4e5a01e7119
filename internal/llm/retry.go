package llm

import (
	"math"
	"net/http"
	"strconv"
	"time"
)

// retryAfter is the wait an answer asks for: the longer of Retry-After (RFC 9110 §10.2.3, seconds or a
// date) and Retry-After-Ms. Azure is recorded to send "1" and "0" together, where a preference for the
// milliseconds means no wait at all. What cannot be read counts as 0.
func retryAfter(h http.Header, now time.Time) time.Duration {
	wait := duration(h.Get("Retry-After-Ms"), time.Millisecond)
	v := h.Get("Retry-After")
	if at, err := http.ParseTime(v); err == nil {
		return max(wait, at.Sub(now))
	}
	return max(wait, duration(v, time.Second))
}

func duration(text string, unit time.Duration) time.Duration {
	n, err := strconv.ParseFloat(text, 64)
	if (err != nil && !math.IsInf(n, 0)) || math.IsNaN(n) || n <= 0 {
		return 0
	}
	if n >= float64(math.MaxInt64)/float64(unit) {
		return math.MaxInt64
	}
	return time.Duration(n * float64(unit))
}
