package mcp

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	writeWithin = 10 * time.Second // a reader that stopped reading frees its place (T-40)
	beatTime    = 15 * time.Second // between signs of life on a quiet stream
)

// line is a connection that may stay open: each write has its own deadline, and none of the server's for whole
// requests is left.
type line struct {
	http.ResponseWriter

	controller *http.ResponseController
	mu         sync.Mutex
	begun      bool
	over       bool
}

func newLine(w http.ResponseWriter) *line {
	l := &line{ResponseWriter: w, controller: http.NewResponseController(w)}
	_ = l.controller.SetReadDeadline(time.Time{}) // the request is read; not every writer has deadlines
	return l
}

// Unwrap lets http.ResponseController reach the connection.
func (l *line) Unwrap() http.ResponseWriter { return l.ResponseWriter }

// WriteHeader takes note that the answer has begun.
func (l *line) WriteHeader(status int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.begun = true
	l.ResponseWriter.WriteHeader(status)
}

// Write writes within a time.
func (l *line) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.write(b)
}

func (l *line) write(b []byte) (int, error) {
	if l.over {
		return 0, io.ErrClosedPipe
	}
	l.begun = true
	_ = l.controller.SetWriteDeadline(time.Now().Add(writeWithin)) // not every writer has deadlines
	return l.ResponseWriter.Write(b)
}

// FlushError sends what is written.
func (l *line) FlushError() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.controller.Flush()
}

// keep shows signs of life on a stream of events until ctx ends, and ends it when the reader has gone or closing is
// closed.
func (l *line) keep(ctx context.Context, cancel context.CancelFunc, closing <-chan struct{}) {
	beat := time.NewTicker(beatTime)
	defer beat.Stop()
	for {
		select {
		case <-beat.C:
			if l.beat() != nil {
				cancel()
			}
		case <-closing:
			cancel()
			return
		case <-ctx.Done():
			return
		}
	}
}

func (l *line) beat() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over || !l.begun || !strings.HasPrefix(l.Header().Get("Content-Type"), "text/event-stream") {
		return nil
	}
	if _, err := l.write([]byte(": still here\n\n")); err != nil {
		return err
	}
	return l.controller.Flush()
}

// end keeps late signs of life off a connection that is no longer ours.
func (l *line) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
}
