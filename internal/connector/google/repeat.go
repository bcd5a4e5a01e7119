package google

import (
	"bytes"
	"fmt"
	"io"
	"net/http"

	"steward/internal/connector"
)

// client is the session's, for bodies that can be sent twice. Google's library takes GetBody away from every
// method that could also upload a file, such as drafts.send, and then a 401 could not be answered by the same
// request with a fresh token.
func client(s *connector.Session) *http.Client {
	if s.HTTP.Transport == nil { // nothing that would answer a 401
		return s.HTTP
	}
	c := *s.HTTP
	c.Transport = repeatable{c.Transport}
	return &c
}

type repeatable struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper. What is sent here is JSON, a mail or a file that was an argument: it fits into memory.
func (r repeatable) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body == nil || req.Body == http.NoBody || req.GetBody != nil {
		return r.next.RoundTrip(req)
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, fmt.Errorf("read request: %w", err)
	}
	if err := req.Body.Close(); err != nil {
		return nil, fmt.Errorf("read request: %w", err)
	}
	req = req.Clone(req.Context())
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	req.Body = io.NopCloser(bytes.NewReader(body))
	return r.next.RoundTrip(req)
}
