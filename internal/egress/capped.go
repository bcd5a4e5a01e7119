package egress

import "net/http"

// Capped makes an answer beyond so many bytes fail instead of filling the memory. It is for clients of addresses
// that the operator names too.
type Capped struct {
	Next http.RoundTripper
	Most int64 // bytes
}

// RoundTrip implements http.RoundTripper.
func (c Capped) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := c.Next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	res.Body = http.MaxBytesReader(nil, res.Body, c.Most)
	return res, nil
}
