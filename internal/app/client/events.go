package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"steward/api"
	"steward/internal/automation"
	"steward/internal/fault"
)

// maxEvent bounds one line of the stream: an event holds previews, not contents.
const maxEvent = 4 << 20

// patience is how long a broken stream may stay broken: an API that is restarted is back before.
const patience = time.Minute

// Events calls fn for every event of a run, those that have happened first and then each as it happens,
// until the run is over, fn or told returns an error or ctx ends. A stream that breaks is resumed behind the
// last event, so that none is missed or repeated. In between told, which may be nil, gets how far the model is.
func (c *Client) Events(ctx context.Context, id int64, fn func(api.RunEvent) error, told func(automation.Progress) error) error {
	s := &subscription{client: c, run: id, fn: fn, told: told}
	broken := time.Time{}
	for {
		before := s.last
		over, err := s.read(ctx)
		switch {
		case over, ctx.Err() != nil:
			return ctx.Err()
		case s.err != nil:
			return s.err
		case err != nil && !again(err):
			return err
		}
		if s.last > before || broken.IsZero() {
			broken = time.Now()
		}
		if err != nil && time.Since(broken) > patience {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(300 * time.Millisecond):
		}
	}
}

// again reports whether an error may pass by itself.
func again(err error) bool {
	return fault.Is(err, fault.Unavailable) || fault.Is(err, fault.Exhausted) || errors.Is(err, errCutOff)
}

var errCutOff = errors.New("the stream of events broke off")

type subscription struct {
	client *Client
	run    int64
	fn     func(api.RunEvent) error
	told   func(automation.Progress) error
	last   int64 // number of the last event seen
	err    error // of fn or told
}

// read reads one connection to its end; over says that the run has no more events.
func (s *subscription) read(ctx context.Context) (over bool, err error) {
	res, err := s.client.send(ctx, http.MethodGet, runPath(s.run)+"/events", nil, map[string]string{
		"Accept": "text/event-stream", "Last-Event-ID": strconv.FormatInt(s.last, 10),
	})
	if err != nil {
		return false, err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode == http.StatusNoContent {
		return true, nil
	}
	if err := eachData(res.Body, s.take); err != nil && s.err == nil {
		return false, fmt.Errorf("%w: %w", errCutOff, err)
	}
	return false, nil // over or resumable: the server says which when it is asked again
}

func (s *subscription) take(name string, data []byte) error {
	if name == "progress" {
		return s.tell(data)
	}
	var e api.RunEvent
	if err := json.Unmarshal(data, &e); err != nil {
		return fmt.Errorf("decode event: %w", err)
	}
	if e.Seq <= s.last {
		return nil
	}
	s.last = e.Seq
	s.err = s.fn(e)
	return s.err
}

func (s *subscription) tell(data []byte) error {
	var p automation.Progress
	if err := json.Unmarshal(data, &p); err != nil {
		return fmt.Errorf("decode progress: %w", err)
	}
	if s.told != nil {
		s.err = s.told(p)
	}
	return s.err
}

// eachData calls fn with the name and the data of each Server-Sent Event (WHATWG HTML §9.2). Ids repeat what
// the data holds and are skipped.
func eachData(r io.Reader, fn func(name string, data []byte) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxEvent)
	var name string
	var data []string
	for lines.Scan() {
		line := lines.Text()
		if line == "" {
			if len(data) > 0 {
				if err := fn(name, []byte(strings.Join(data, "\n"))); err != nil {
					return err
				}
			}
			name, data = "", nil
			continue
		}
		if value, ok := strings.CutPrefix(line, "event:"); ok {
			name = strings.TrimPrefix(value, " ")
		}
		if value, ok := strings.CutPrefix(line, "data:"); ok {
			data = append(data, strings.TrimPrefix(value, " "))
		}
	}
	return lines.Err()
}
