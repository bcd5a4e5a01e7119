package api

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// NewServer returns an HTTP server for h whose limits hold slow and greedy clients off (T-40): headers
// within 5 s and 64 KiB, the whole request within 30 s, idle connections for 60 s. There is no write
// timeout, it would cut event streams: those set a deadline before every write.
//
// The context of requests is ctx without its cancellation: a shutdown lets them finish, and ends
// streams through Deps.Closing.
func NewServer(ctx context.Context, h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug), // peers that break off a handshake or request
		BaseContext:       func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
}
