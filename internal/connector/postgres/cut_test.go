package postgres_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/automation"
	"steward/internal/connector"
)

// where a connection is cut at one of the messages of a call.
type where int

const (
	before  where = iota // the message does not leave
	halfway              // half of it leaves
	behind               // it leaves, and its answer never comes
)

// wire is a network whose connections are cut, or held, when it is armed.
type wire struct {
	mu    sync.Mutex
	count int // messages since it was armed
	at    int // the message to cut at; 0: none
	where where

	reached, release chan struct{} // to hold a message: told when it is there, let on when closed
}

func (w *wire) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := plainDial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &cut{conn, w}, nil
}

func (w *wire) arm(at int, where where) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.count, w.at, w.where = 0, at, where
}

// due says whether this is the message.
func (w *wire) due() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.count++
	return w.count == w.at
}

type cut struct {
	net.Conn
	wire *wire
}

func (c *cut) Write(b []byte) (int, error) {
	if !c.wire.due() {
		return c.Conn.Write(b)
	}
	if c.wire.release != nil {
		c.wire.reached <- struct{}{}
		<-c.wire.release
		return c.Conn.Write(b)
	}
	switch c.wire.where {
	case halfway:
		_, _ = c.Conn.Write(b[:len(b)/2])
	case behind:
		_, _ = c.Conn.Write(b)
		_ = c.Conn.(*net.TCPConn).CloseWrite()
		drain := make([]byte, 1) // the server has begun to answer: it has the message
		_, _ = c.Read(drain)
	case before:
	}
	_ = c.Close()
	return 0, errors.New("the connection was cut")
}

// A change that is cut off at any of its messages, then asked about and tried again, is made once.
func TestChangeThatIsCutAnywhereIsMadeOnce(t *testing.T) {
	t.Parallel()
	for name, where := range map[string]where{"before": before, "halfway": halfway, "behind": behind} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			healthy := p.as(owner)
			p.exec("SET ROLE owner; CREATE TABLE effects (call text); RESET ROLE")
			outcomes := map[automation.Outcome]int{}
			for at := 1; ; at++ {
				w := &wire{}
				link := open(t, p.form(owner), w.dial)
				if at%2 == 0 { // with a connection that is there already, and with one that is cut while it is made
					_, err := query(t, link, "SELECT 1")
					require.NoError(t, err)
				}
				a := newAttempt("DB_WRITE", nil)
				a.arguments = map[string]any{"statement": "INSERT INTO effects VALUES ($1)", "parameters": []string{a.id}}
				w.arm((at+1)/2, where)
				err := a.run(t, link, &changed{})
				link.Close()
				if err == nil {
					require.Greater(t, at, 6, "every message was cut once")
					break
				}
				e := failure(t, err)
				require.False(t, e.Answered)
				if a.receipt != "" {
					outcome, err := a.probe(t, healthy)
					require.NoError(t, err)
					require.True(t, e.Ran || outcome == automation.OutcomeFailed, "what has not run was not made: message %d", at)
					outcomes[outcome]++
				}
				require.NoError(t, a.run(t, healthy, &changed{}))
				require.Equal(t, "1", p.one("SELECT count(*)::text FROM effects WHERE call = '"+a.id+"'"), "message %d", at)
			}
			require.Positive(t, outcomes[automation.OutcomeFailed])
			require.Equal(t, where == behind, outcomes[automation.OutcomeDone] > 0, "only a commit that arrives is one")
		})
	}
}

func TestQueryThatIsCutHasNotRun(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	for at := 1; ; at++ {
		w := &wire{}
		link := open(t, p.form(reader), w.dial)
		w.arm(at, behind)
		_, err := query(t, link, "SELECT 1")
		if err == nil {
			require.Greater(t, at, 3)
			return
		}
		require.False(t, failure(t, err).Ran)
		_, err = query(t, link, "SELECT 1")
		require.NoError(t, err, "the link makes another connection")
	}
}

// An attempt that hangs before it has said anything is withdrawn: it comes too late, and the next one makes the change.
func TestAttemptThatComesAfterTheProbe(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	healthy := p.as(owner)
	require.NoError(t, newAttempt("DB_WRITE", map[string]any{"statement": "DELETE FROM ads"}).run(t, healthy, &changed{}))
	a, held, done := hang(t, p, 1)
	outcome, err := a.probe(t, healthy)
	require.NoError(t, err)
	require.Equal(t, automation.OutcomeFailed, outcome)
	next := &attempt{id: a.id, tool: a.tool, arguments: a.arguments, receipt: a.receipt}
	close(held.release)
	e := failure(t, <-done)
	require.False(t, e.Ran)
	require.Equal(t, "8000", p.one(spent))
	require.NoError(t, next.run(t, healthy, &changed{}))
	require.Equal(t, "8100", p.one(spent))
}

// A probe waits for an attempt that is about to commit.
func TestProbeWaitsForTheCommit(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	healthy := p.as(owner)
	require.NoError(t, newAttempt("DB_WRITE", map[string]any{"statement": "DELETE FROM ads"}).run(t, healthy, &changed{}))
	a, held, done := hang(t, p, 3)
	tool, asked := a.find(t), a.call(t)
	outcome := make(chan automation.Outcome, 1)
	go func() {
		found, _ := tool.Probe(t.Context(), &connector.Session{Link: healthy}, asked)
		outcome <- found.Outcome
	}()
	waiting := "SELECT count(*)::text FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
	require.Eventually(t, func() bool { return p.one(waiting) == "1" }, 10*time.Second, 5*time.Millisecond)
	close(held.release)
	require.NoError(t, <-done)
	require.Equal(t, automation.OutcomeDone, <-outcome)
	require.Equal(t, "8100", p.one(spent))
}

// hang starts a change that stops before its at-th message.
func hang(t *testing.T, p *place, at int) (*attempt, *wire, chan error) {
	t.Helper()
	w := &wire{reached: make(chan struct{}), release: make(chan struct{})}
	link := open(t, p.form(owner), w.dial)
	_, err := query(t, link, "SELECT 1")
	require.NoError(t, err)
	w.arm(at, before)
	a, done := raise(), make(chan error, 1)
	tool, call := a.find(t), a.call(t)
	go func() {
		_, err := tool.Call(t.Context(), &connector.Session{Link: link}, call)
		done <- err
	}()
	<-w.reached
	return a, w, done
}
