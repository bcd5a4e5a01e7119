package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"steward/internal/fault"
)

const eventStreamType = "text/event-stream"

// writeWithin bounds each write to a stream: a reader that stopped reading frees its place (T-40).
const writeWithin = 10 * time.Second

// eventStream writes Server-Sent Events (WHATWG HTML §9.2). Huma's own helper has no heartbeat, prints
// to stderr and cannot name events by a value.
type eventStream struct {
	w          http.ResponseWriter
	controller *http.ResponseController
	buf        bytes.Buffer
}

// openStream sends the headers. X-Accel-Buffering tells proxies of nginx's kind to pass events on at once.
func openStream(w http.ResponseWriter) (*eventStream, error) {
	s := &eventStream{w: w, controller: http.NewResponseController(w)}
	h := w.Header()
	h.Set("Content-Type", eventStreamType)
	h.Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	return s, s.flush()
}

// event appends one event to what the next flush sends. id is what a client repeats as Last-Event-ID.
func (s *eventStream) event(id int64, name string, data any) error {
	fmt.Fprintf(&s.buf, "id: %d\n", id)
	return s.passing(name, data)
}

// passing appends an event that is not repeated: without an id, Last-Event-ID stays what it is.
func (s *eventStream) passing(name string, data any) error {
	body, err := json.Marshal(data) // no line breaks inside, so one data line is enough
	if err != nil {
		return fmt.Errorf("encode event %s: %w", name, err)
	}
	fmt.Fprintf(&s.buf, "event: %s\ndata: %s\n\n", name, body)
	return nil
}

// heartbeat keeps proxies from closing a quiet stream and finds out that the reader has gone.
func (s *eventStream) heartbeat() error {
	s.buf.WriteString(": still here\n\n")
	return s.flush()
}

func (s *eventStream) flush() error {
	if err := s.controller.SetWriteDeadline(time.Now().Add(writeWithin)); err != nil {
		return fmt.Errorf("write deadline: %w", err)
	}
	if _, err := s.w.Write(s.buf.Bytes()); err != nil {
		return fmt.Errorf("write events: %w", err)
	}
	s.buf.Reset()
	if err := s.controller.Flush(); err != nil {
		return fmt.Errorf("flush events: %w", err)
	}
	return nil
}

// resumePoint is the number of the last event that the reader has. A browser repeats it in the header;
// the query serves readers that cannot set headers. The header wins: it is the newer of the two when a
// browser reconnects to the URL that it first opened.
func resumePoint(lastEventID, after string) (int64, error) {
	location, text := "header.Last-Event-ID", lastEventID
	if text == "" {
		location, text = "query.after", after
	}
	if text == "" {
		return 0, nil
	}
	seq, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seq < 0 {
		return 0, fault.InvalidField(location, "not the number of an event")
	}
	return seq, nil
}
