package offline

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"steward/dev/offline/wire"
)

// stream sends a response as events from ?starting_after on, the answer when it may be seen. Events
// of a cancelled response stop without a last one; its state says what happened.
func (s *Server) stream(w http.ResponseWriter, r *http.Request, e *entry) error {
	after := -1
	if text := r.URL.Query().Get("starting_after"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			return wire.BadRequest("starting_after", "invalid_type", "Invalid value for 'starting_after'.")
		}
		after = n
	}
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	if err := send(w, wire.Opening(e.final), after); err != nil {
		return err
	}
	if err := s.wait(r.Context(), e); err != nil || e.isCancelled() {
		return err
	}
	return send(w, wire.Closing(e.final), after)
}

// wait returns when the answer may be seen or was cancelled, or with the error of the context.
func (s *Server) wait(ctx context.Context, e *entry) error {
	timer := time.NewTimer(e.ready.Sub(s.clock()))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-e.cancelled:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// send writes the events behind a sequence number and flushes.
func send(w http.ResponseWriter, events []wire.Event, after int) error {
	for _, event := range events {
		if event.Sequence > after {
			if err := event.Write(w); err != nil {
				return err
			}
		}
	}
	return http.NewResponseController(w).Flush()
}
