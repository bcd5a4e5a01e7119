package api

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/google/uuid"
)

// request is what the access log says about one request. Only the goroutine that serves it writes here.
type request struct {
	id     string
	actor  string // who asked
	owner  string // for whom
	code   string // of the problem answered, if one was
	cause  error  // behind that problem, for the log alone
	status int
	bytes  int64
}

type requestKey struct{}

// requestOf returns the request's state; outside trace (in tests of parts) a throw-away one.
func requestOf(ctx context.Context) *request {
	if r, ok := ctx.Value(requestKey{}).(*request); ok {
		return r
	}
	return &request{}
}

// note remembers a problem for the access log and stamps it with the request's id.
func note(ctx context.Context, p *Problem, cause error) {
	r := requestOf(ctx)
	r.code, r.cause, p.RequestID = p.Code, cause, r.id
}

// trace gives every request an id of our own (a caller's could forge log lines) and writes one line to
// the access log when it ends: the route's pattern, never the URL, whose query may hold anything.
func trace(log *slog.Logger) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			start := time.Now()
			req := &request{id: uuid.Must(uuid.NewV7()).String()}
			ctx := context.WithValue(r.Context(), requestKey{}, req)
			w.Header().Set("X-Request-Id", req.id)
			next.ServeHTTP(&recorder{ResponseWriter: w, request: req}, r.WithContext(ctx))

			if req.status == 0 {
				req.status = http.StatusOK // what net/http sends for a handler that wrote nothing
			}
			level := slog.LevelInfo
			if req.status >= http.StatusInternalServerError {
				level = slog.LevelError
			}
			attrs := []slog.Attr{
				slog.String("request_id", req.id), slog.String("method", r.Method),
				slog.String("route", chi.RouteContext(ctx).RoutePattern()), slog.Int("status", req.status),
				slog.Int64("bytes", req.bytes), slog.Duration("took", time.Since(start)),
				slog.String("ip", clientIP(r)), slog.String("owner", req.owner), slog.String("actor", req.actor),
			}
			if req.code != "" {
				attrs = append(attrs, slog.String("code", req.code))
			}
			if req.cause != nil {
				attrs = append(attrs, slog.Any("error", req.cause))
			}
			log.LogAttrs(ctx, level, "request", attrs...)
		})
	}
}

// rescue answers a panic with a problem. http.ErrAbortHandler is the way to drop a connection on purpose.
func rescue(log *slog.Logger) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer func() {
				cause := recover()
				if cause == nil {
					return
				}
				if cause == http.ErrAbortHandler { //nolint:errorlint // recover returns any
					panic(cause)
				}
				log.ErrorContext(r.Context(), "panic in a request", "request_id", requestOf(r.Context()).id,
					"panic", cause, "stack", stack())
				if requestOf(r.Context()).status == 0 {
					refuse(w, r, errPanic)
				}
			}()
			next.ServeHTTP(w, r)
		})
	}
}

var errPanic = errors.New("panic")

// clientIP is the peer's address. Forwarded headers are not believed: anybody can write them.
func clientIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// recorder remembers status and size for the access log.
type recorder struct {
	http.ResponseWriter

	request *request
}

// Unwrap lets http.ResponseController reach the connection (deadlines, flush).
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader remembers the first status.
func (w *recorder) WriteHeader(status int) {
	if w.request.status == 0 {
		w.request.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write counts.
func (w *recorder) Write(b []byte) (int, error) {
	if w.request.status == 0 {
		w.request.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.request.bytes += int64(n)
	return n, err
}
