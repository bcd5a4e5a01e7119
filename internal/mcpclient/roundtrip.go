package mcpclient

import (
	"context"
	"io"
	"mime"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"time"

	"steward/internal/secret"
)

// streamWait bounds how long a server may keep back the head of a stream for notifications. go-sdk opens
// these while connecting and without a deadline, so a server that stays silent would hang it for good.
const streamWait = 2 * time.Second

// roundTripper adds the target's headers, caps what comes back and tells the request's wire what happened.
type roundTripper struct {
	next   http.RoundTripper
	origin *url.URL
	header map[string]secret.String
}

// httpClient copies the caller's client around a roundTripper.
func httpClient(h *HTTP) (*http.Client, error) {
	origin, err := url.Parse(h.URL)
	if err != nil {
		return nil, err
	}
	client := *h.Client
	client.Timeout = 0
	if client.Transport == nil {
		client.Transport = http.DefaultTransport
	}
	client.Transport = &roundTripper{next: client.Transport, origin: origin, header: h.Header}
	return &client, nil
}

// RoundTrip implements http.RoundTripper.
func (t *roundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	w := wireOf(req.Context())
	ctx := req.Context()
	if w != nil && req.Method == http.MethodPost {
		hadSession := req.Header.Get("Mcp-Session-Id") != ""
		w.record(func(w *wire) { w.hadSession = hadSession })
		ctx = httptrace.WithClientTrace(ctx, trace(w))
	}
	req = req.Clone(ctx)
	if req.URL.Scheme == t.origin.Scheme && req.URL.Host == t.origin.Host {
		for name, value := range t.header {
			req.Header.Set(name, value.Reveal())
		}
	}
	if req.Method == http.MethodGet || req.Header.Get("Mcp-Method") == "subscriptions/listen" {
		return t.openStream(req)
	}
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if req.Method == http.MethodPost {
		w.record(func(w *wire) { w.status, w.retryAfter = resp.StatusCode, retryAfter(resp.Header) })
	}
	resp.Body = watchBody(resp, w, MaxMessage)
	return resp, nil
}

// trace marks the wire as sent once the request's head is out. A new connection starts over: net/http
// repeats a POST only where the server provably did not take it.
func trace(w *wire) *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn:      func(string) { w.record(func(w *wire) { w.sent = false }) },
		WroteHeaders: func() { w.record(func(w *wire) { w.sent = true }) },
	}
}

// openStream waits for the head of a stream of notifications, or of one that resumes a call. A server that
// gives none in time is treated as one that offers none (405).
func (t *roundTripper) openStream(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(req.Context())
	timer := time.AfterFunc(streamWait, cancel)
	resp, err := t.next.RoundTrip(req.WithContext(ctx))
	inTime := timer.Stop()
	if err != nil {
		cancel()
		if inTime || req.Method != http.MethodGet || req.Context().Err() != nil {
			return nil, err
		}
		return &http.Response{
			StatusCode: http.StatusMethodNotAllowed, Status: "405 no stream in time",
			Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: http.Header{}, Body: http.NoBody, Request: req,
		}, nil
	}
	body := watchBody(resp, wireOf(req.Context()), -1)
	resp.Body = &cancelBody{ReadCloser: body, cancel: cancel}
	return resp, nil
}

type cancelBody struct {
	io.ReadCloser
	cancel context.CancelFunc
}

// Close ends the request, which the context of openStream would otherwise keep.
func (b *cancelBody) Close() error {
	b.cancel()
	return b.ReadCloser.Close()
}

// watchBody copies the body into the wire and ends it after limit bytes; negative means no limit.
func watchBody(resp *http.Response, w *wire, limit int) io.ReadCloser {
	kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	stream := err == nil && kind == "text/event-stream"
	w.record(func(w *wire) {
		w.stream = stream
		if stream && w.body.Len() > 0 { // a resumed stream goes on after the part it repeats
			w.body.WriteString("\n\n")
		}
	})
	return &watchedBody{ReadCloser: resp.Body, wire: w, limit: limit}
}

type watchedBody struct {
	io.ReadCloser
	wire  *wire
	limit int
	count int
}

// Read implements io.Reader.
func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.count += n
	if b.limit >= 0 && b.count > b.limit {
		b.wire.record(func(w *wire) {
			w.tooLarge = true
			w.cancel() // or go-sdk resumes the stream and reads the same again
		})
		return 0, ErrTooLarge
	}
	b.wire.record(func(w *wire) {
		if w.body.Len() <= MaxMessage {
			w.body.Write(p[:n])
		}
	})
	return n, err
}

// retryAfter reads the header of the same name (RFC 9110 §10.2.3), at most one hour.
func retryAfter(h http.Header) time.Duration {
	v := h.Get("Retry-After")
	var d time.Duration
	if s, err := strconv.Atoi(v); err == nil {
		d = time.Duration(min(s, 3600)) * time.Second
	} else if at, err := http.ParseTime(v); err == nil {
		d = time.Until(at)
	}
	return min(max(d, 0), time.Hour)
}
