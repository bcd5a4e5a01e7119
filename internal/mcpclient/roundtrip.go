package mcpclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"steward/internal/secret"
)

// streamWait bounds how long a server may keep back the head of a stream for notifications. go-sdk opens
// these while connecting and without a deadline, so a server that stays silent would hang it for good.
const streamWait = 2 * time.Second

// headWait bounds how long a server may keep back the head of an answer that nobody waits for. Whoever makes a request
// has a time of its own, which may be longer.
const headWait = time.Minute

// roundTripper adds the target's headers, caps what comes back and tells the request's wire what happened.
type roundTripper struct {
	next   http.RoundTripper
	origin *url.URL
	header map[string]secret.String
	wire   Wire
	pace   pace
	// leave makes the session outlive us: the DELETE that would end it is not sent.
	leave atomic.Bool
}

func newRoundTripper(h *HTTP, over Wire) (*roundTripper, error) {
	origin, err := url.Parse(h.URL)
	if err != nil {
		return nil, fmt.Errorf("reading the server's URL: %w", err)
	}
	next := h.Client.Transport
	if next == nil {
		next = http.DefaultTransport
	}
	return &roundTripper{next: next, origin: origin, header: h.Header, wire: over, pace: h.Reconnect.pace()}, nil
}

// client copies the caller's client around t or what wraps it.
func (h *HTTP) client(t http.RoundTripper) *http.Client {
	client := *h.Client
	client.Timeout = 0
	client.Transport = t
	client.CheckRedirect = staysHome(client.CheckRedirect)
	return &client
}

// staysHome lets no redirect take anywhere else what was meant for the server: a message, whose arguments and headers
// may hold secrets (307 and 308 repeat it), or the id of a session. What was said over TLS is not repeated without.
func staysHome(next func(*http.Request, []*http.Request) error) func(*http.Request, []*http.Request) error {
	return func(req *http.Request, via []*http.Request) error {
		last := via[len(via)-1]
		private := via[0].Method != http.MethodGet || via[0].Header.Get(sessionHeader) != ""
		switch {
		case private && !sameOrigin(req.URL, via[0].URL), last.URL.Scheme == "https" && req.URL.Scheme != "https":
			return ErrElsewhere
		case next != nil:
			return next(req, via)
		case len(via) >= 10: // as net/http has it
			return errors.New("too many redirects")
		}
		return nil
	}
}

// RoundTrip implements http.RoundTripper.
func (t *roundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method == http.MethodDelete && t.leave.Load() {
		return invented(req, http.StatusNoContent, nil), nil
	}
	w := wireOf(req.Context())
	ctx := req.Context()
	opening := t.wire == WireSSE && req.Method == http.MethodGet
	if w != nil && (req.Method == http.MethodPost || opening) {
		hadSession := req.Header.Get(sessionHeader) != ""
		w.record(func(w *wire) { w.hadSession = hadSession })
		ctx = httptrace.WithClientTrace(ctx, trace(w))
	}
	req = req.Clone(ctx)
	if sameOrigin(req.URL, t.origin) {
		for name, value := range t.header {
			req.Header.Set(name, value.Reveal())
		}
	}
	if w != nil && w.name != "" && req.Method == http.MethodPost {
		req.Header.Set("Mcp-Name", w.name)
	}
	if !opening && (req.Method == http.MethodGet || req.Header.Get("Mcp-Method") == "subscriptions/listen") {
		return t.openStream(req)
	}
	if w == nil && !opening { // nobody's time runs: the answer to a question of the server, say
		return t.soon(req)
	}
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	w.record(func(w *wire) {
		w.status, w.retryAfter = resp.StatusCode, retryAfter(resp.Header)
		w.challenge = resp.Header.Values("WWW-Authenticate")
		w.body.Reset() // a handshake is several requests
	})
	if !opening {
		resp.Body = t.pace.hint(watchBody(resp, w, MaxMessage), resp)
	}
	return resp, nil
}

// soon gives the head of an answer headWait. go-sdk sends some messages without a limit of their own.
func (t *roundTripper) soon(req *http.Request) (*http.Response, error) {
	ctx, end := context.WithCancel(req.Context())
	timer := time.AfterFunc(headWait, end)
	resp, err := t.next.RoundTrip(req.WithContext(ctx))
	timer.Stop()
	if err != nil {
		end()
		return nil, err
	}
	resp.Body = &cancelBody{ReadCloser: t.pace.hint(watchBody(resp, nil, MaxMessage), resp), cancel: end}
	return resp, nil
}

// sameOrigin compares as RFC 6454 §5 does.
func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && portOf(a) == portOf(b)
}

func portOf(u *url.URL) string {
	switch port := u.Port(); {
	case port != "":
		return port
	case u.Scheme == "https":
		return "443"
	default:
		return "80"
	}
}

// invented is an answer that no server gave.
func invented(req *http.Request, status int, body []byte) *http.Response {
	return &http.Response{
		StatusCode: status, Status: strconv.Itoa(status) + " (not the server's)",
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(body)), Request: req,
	}
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
	var resp *http.Response
	var cancel context.CancelFunc
	for attempt := 0; ; attempt++ {
		ctx, end := context.WithCancel(req.Context())
		timer := time.AfterFunc(streamWait, end)
		answer, err := t.next.RoundTrip(req.WithContext(ctx))
		inTime := timer.Stop()
		if err == nil {
			resp, cancel = answer, end
			break
		}
		end()
		switch {
		case req.Method != http.MethodGet || req.Context().Err() != nil:
			return nil, err
		case !inTime:
			return invented(req, http.StatusMethodNotAllowed, nil), nil
		case req.Header.Get("Last-Event-ID") == "" || t.pace == (pace{}):
			return nil, err
		case !t.pace.again(req.Context(), attempt):
			return invented(req, http.StatusGone, nil), nil // what is an error to go-sdk it tries again
		}
	}
	body := watchBody(resp, wireOf(req.Context()), -1)
	resp.Body = &cancelBody{ReadCloser: t.pace.hint(body, resp), cancel: cancel}
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
	stream := isStream(resp)
	w.record(func(w *wire) {
		w.stream = stream
		if stream && w.body.Len() > 0 { // a resumed stream goes on after the part it repeats
			w.body.WriteString("\n\n")
		}
	})
	return &watchedBody{ReadCloser: resp.Body, wire: w, limit: limit}
}

func isStream(resp *http.Response) bool {
	kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return err == nil && kind == "text/event-stream"
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
