package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/api"
	"steward/internal/audit"
	"steward/internal/auth"
	"steward/internal/automation"
)

// stream is an open event stream.
type stream struct {
	t        *testing.T
	response *http.Response
	lines    *bufio.Scanner
	cancel   context.CancelFunc
}

// open connects; last is the Last-Event-ID, "" for none.
func (r *rig) open(t *testing.T, server *httptest.Server, token string, run int64, last string) *stream {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%s/automation/run/%d/events", server.URL, run), nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	response, err := server.Client().Do(req)
	require.NoError(t, err)
	t.Cleanup(func() { _ = response.Body.Close() })
	return &stream{t: t, response: response, lines: bufio.NewScanner(response.Body), cancel: cancel}
}

// next reads one event; false at the end of the stream.
func (s *stream) next() (api.RunEvent, bool) {
	s.t.Helper()
	var e api.RunEvent
	id, name := "", ""
	for s.lines.Scan() {
		field, value, _ := strings.Cut(s.lines.Text(), ": ")
		switch field {
		case "id":
			id = value
		case "event":
			name = value
		case "data":
			require.NoError(s.t, json.Unmarshal([]byte(value), &e))
			require.Equal(s.t, strconv.FormatInt(e.Seq, 10), id)
			require.Equal(s.t, e.Kind, name)
			return e, true
		}
	}
	return e, false
}

func TestEventsResumeWithoutGapOrRepeat(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	server := httptest.NewServer(r.handler)
	t.Cleanup(server.Close)
	id, alice := r.run("alice"), r.token("alice", auth.User)

	const more = 100
	written := make(chan struct{})
	go func() {
		defer close(written)
		for i := range more {
			r.event(id, fmt.Sprintf("e%d", i), "tool.planned", map[string]int{"n": i})
		}
		r.finish(id)
	}()

	var seen []int64
	last, over := "", false
	for connections := 0; !over; connections++ {
		require.Less(t, connections, 50)
		s := r.open(t, server, alice, id, last)
		if s.response.StatusCode == http.StatusNoContent {
			break
		}
		require.Equal(t, http.StatusOK, s.response.StatusCode)
		require.Equal(t, "text/event-stream", s.response.Header.Get("Content-Type"))
		require.Equal(t, "no", s.response.Header.Get("X-Accel-Buffering"))
		for range 7 { // then the line breaks
			e, ok := s.next()
			if !ok {
				over = true
				break
			}
			seen = append(seen, e.Seq)
			last = strconv.FormatInt(e.Seq, 10)
		}
		s.cancel()
	}
	<-written
	want := make([]int64, more+2) // accepted, the planned ones, finished
	for i := range want {
		want[i] = int64(i + 1)
	}
	require.Equal(t, want, seen)

	done := r.open(t, server, alice, id, last)
	require.Equal(t, http.StatusNoContent, done.response.StatusCode, "nothing will ever come: browsers stop reconnecting")
	again := r.open(t, server, alice, id, strconv.Itoa(more+1))
	e, ok := again.next()
	require.True(t, ok)
	require.Equal(t, "run.finished", e.Kind)
	_, ok = again.next()
	require.False(t, ok, "the stream ends behind the last event")
}

func TestEventsArriveAsTheyHappen(t *testing.T) {
	t.Parallel()
	var listening *audit.Feed
	r := newRig(t, func(d *api.Deps) {
		var err error
		listening, err = audit.NewFeed(d.DB, d.Log)
		require.NoError(t, err)
		d.Feed = listening
	})
	ctx, cancel := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	go func() { stopped <- listening.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-stopped)
	})
	server := httptest.NewServer(r.handler)
	t.Cleanup(server.Close)
	id := r.run("alice")
	s := r.open(t, server, r.token("alice", auth.User), id, "")
	e, ok := s.next()
	require.True(t, ok)
	require.Equal(t, "run.accepted", e.Kind)
	for i := range 5 {
		r.event(id, fmt.Sprintf("e%d", i), "tool.planned", map[string]int{"n": i})
		e, ok = s.next()
		require.True(t, ok)
		require.JSONEq(t, fmt.Sprintf(`{"n":%d}`, i), string(e.Body))
	}
}

// block reads the lines of one event, whatever it is.
func (s *stream) block() (lines []string) {
	s.t.Helper()
	for s.lines.Scan() && s.lines.Text() != "" {
		lines = append(lines, s.lines.Text())
	}
	require.NoError(s.t, s.lines.Err())
	return lines
}

// Progress comes between events and has no number: a reader that resumes repeats that of the last event.
func TestEventsTellProgress(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	server := httptest.NewServer(r.handler)
	t.Cleanup(server.Close)
	id := r.run("alice")
	chain := automation.AuditChain(id)
	r.feed.tell(chain, `{"step": 1, "doing": "waiting"}`)
	s := r.open(t, server, r.token("alice", auth.User), id, "")
	require.Equal(t, []string{"id: 1", "event: run.accepted"}, s.block()[:2])
	require.Equal(t, []string{"event: progress", `data: {"step":1,"doing":"waiting"}`}, s.block())
	r.feed.wake(chain) // nothing is new
	r.feed.tell(chain, `{"step":1,"doing":"writing","item":"message","characters":312}`)
	require.Equal(t, []string{"event: progress", `data: {"step":1,"doing":"writing","item":"message","characters":312}`}, s.block())

	r.event(id, "answered", "model.answered", map[string]int{"step": 1}) // this feed leaves to us what an event makes old
	require.Equal(t, []string{"id: 2", "event: model.answered"}, s.block()[:2])
	require.Equal(t, "event: progress", s.block()[0], "it is said again: readers forget it with each event")
	r.feed.tell(chain, "")
	r.event(id, "planned", "tool.planned", map[string]int{"step": 1})
	require.Equal(t, []string{"id: 3", "event: tool.planned"}, s.block()[:2])

	r.feed.tell(chain, `{"step":2,"doing":"waiting"}`)
	require.Equal(t, "event: progress", s.block()[0])
	r.finish(id)
	require.Equal(t, []string{"id: 4", "event: run.finished"}, s.block()[:2])
	require.Empty(t, s.block(), "nothing comes after the end")
}

// nobodyReads waits until no stream of the run is left.
func (r *rig) nobodyReads(id int64) {
	r.t.Helper()
	require.Eventually(r.t, func() bool { return r.feed.readers(automation.AuditChain(id)) == 0 }, 10*time.Second, 5*time.Millisecond)
}

func TestStreamsAreLimitedPerUser(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(d *api.Deps) { d.Rates.Streams = 2 })
	server := httptest.NewServer(r.handler)
	t.Cleanup(server.Close)
	id, bobs := r.run("alice"), r.run("bob")
	alice := r.token("alice", auth.User)
	first, second := r.open(t, server, alice, id, ""), r.open(t, server, alice, id, "")
	require.Equal(t, http.StatusOK, second.response.StatusCode)

	third := r.open(t, server, alice, id, "")
	require.Equal(t, http.StatusTooManyRequests, third.response.StatusCode)
	require.NotEmpty(t, third.response.Header.Get("Retry-After"))
	body, err := io.ReadAll(third.response.Body)
	require.NoError(t, err)
	require.Contains(t, string(body), `"code":"too_many_streams"`)
	require.Equal(t, http.StatusOK, r.open(t, server, r.token("bob", auth.User), bobs, "").response.StatusCode, "others have places of their own")

	first.cancel()
	require.Eventually(t, func() bool {
		s := r.open(t, server, alice, id, "")
		defer s.cancel()
		return s.response.StatusCode == http.StatusOK
	}, 10*time.Second, 10*time.Millisecond, "a place is free again")
}

func TestStreamsEndAtShutdown(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	server := httptest.NewServer(r.handler)
	t.Cleanup(server.Close)
	id := r.run("alice")
	s := r.open(t, server, r.token("alice", auth.User), id, "1")
	require.Eventually(t, func() bool { return r.feed.readers(automation.AuditChain(id)) == 1 }, 10*time.Second, 5*time.Millisecond)
	close(r.closing)
	_, ok := s.next()
	require.False(t, ok)
	r.nobodyReads(id)
}

func TestStreamEndsWithItsToken(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	server := httptest.NewServer(r.handler)
	t.Cleanup(server.Close)
	id := r.run("alice")
	tokens, err := auth.NewTokens(r.options)
	require.NoError(t, err)
	short, err := tokens.Issue(auth.Grant{Subject: "alice", Role: auth.User, TTL: 2 * time.Second})
	require.NoError(t, err)
	s := r.open(t, server, short.Reveal(), id, "1")
	require.Equal(t, http.StatusOK, s.response.StatusCode)
	_, ok := s.next()
	require.False(t, ok)
}
