package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"steward/dev/offline"
	"steward/dev/stack/process"
)

// recorder serves the offline model on loopback and can keep what it is asked, so that the bare workflow
// asks exactly the same.
type recorder struct {
	url    string // base of the Responses API
	model  http.Handler
	server *http.Server
	failed chan error

	mu     sync.Mutex
	keep   bool
	bodies [][]byte
}

func serveModel(ctx context.Context, log *slog.Logger) (*recorder, error) {
	model, err := offline.New(offline.Options{Log: log})
	if err != nil {
		return nil, err
	}
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("serve the model: %w", err)
	}
	r := &recorder{url: "http://" + l.Addr().String() + "/v1", model: model.Handler(), failed: make(chan error, 1)}
	r.server = &http.Server{Handler: r, ReadHeaderTimeout: 10 * time.Second}
	go func() { r.failed <- r.server.Serve(l) }()
	return r, nil
}

// ServeHTTP implements http.Handler.
func (r *recorder) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	keep := r.keep
	r.mu.Unlock()
	if keep {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			http.Error(w, "the request broke off", http.StatusBadRequest)
			return
		}
		req.Body = io.NopCloser(bytes.NewReader(body))
		r.mu.Lock()
		r.bodies = append(r.bodies, body)
		r.mu.Unlock()
	}
	r.model.ServeHTTP(w, req)
}

// during returns the requests that came while fn ran.
func (r *recorder) during(fn func() error) ([][]byte, error) {
	r.record(true)
	err := fn()
	return r.record(false), err
}

func (r *recorder) record(keep bool) [][]byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	bodies := r.bodies
	r.keep, r.bodies = keep, nil
	return bodies
}

func (r *recorder) close(context.Context) error {
	err := r.server.Close()
	if served := <-r.failed; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

func freeAddress(ctx context.Context) (string, error) {
	port, err := process.FreePort(ctx, 0)
	if err != nil {
		return "", err
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), nil
}
