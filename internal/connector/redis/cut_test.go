package redis_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	counterpart "steward/dev/counterpart/redis"
	"steward/internal/automation"
)

// line is a way to a server that counts what goes through it and is cut after so many bytes there or back; -1: never.
type line struct {
	up, down         int64
	sentUp, sentDown atomic.Int64
}

func (l *line) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := direct(ctx, network, address)
	return &wire{conn, l}, err
}

type wire struct {
	net.Conn

	line *line
}

// Write lets through what is left, and hangs up where that is not all.
func (w *wire) Write(p []byte) (int, error) {
	n := spend(&w.line.sentUp, w.line.up, len(p))
	written, err := w.Conn.Write(p[:n])
	if err == nil && n < len(p) {
		return written, w.hangUp()
	}
	return written, err
}

// Read takes from the server what it has, and passes on what is left.
func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if left := spend(&w.line.sentDown, w.line.down, n); err == nil && left < n {
		return left, w.hangUp()
	}
	return n, err
}

func (w *wire) hangUp() error {
	_ = w.Close()
	return io.ErrUnexpectedEOF
}

// spend takes want of what is left to most, or all of that.
func spend(sent *atomic.Int64, most int64, want int) int {
	if most >= 0 {
		want = int(min(int64(want), most-sent.Load()))
	}
	sent.Add(int64(want))
	return want
}

// A change whose connection is cut after every single byte of the way there and of the way back: what it says of
// itself is true, the probe knows what became of it, and after another attempt it has happened once.
func TestConnectionCutAtEveryPoint(t *testing.T) {
	t.Parallel()
	s := counterpart.Start(t, counterpart.Options{})
	form := owner(s).and("allow_writes", true)
	whole := form.open(t, direct)
	total := &line{up: -1, down: -1}
	_, err := newChange(t, "INCR n:probe", "RPUSH l x").make(form.open(t, total.dial))
	require.NoError(t, err)
	outcomes := map[string]int{}
	check := func(name string, l *line) {
		c := newChange(t, "INCR n:"+name, "RPUSH l:"+name+" x")
		_, err := c.make(form.open(t, l.dial))
		if err == nil {
			outcomes["answered"]++
			require.Equal(t, "1", s.Do("GET", "n:"+name), name)
			require.Equal(t, automation.OutcomeDone, c.probe(whole), name)
			return
		}
		if e := failure(t, err); !e.Ran {
			outcomes["not sent"]++
			require.Nil(t, s.Do("GET", "n:"+name), name)
		} else if outcome := c.probe(whole); outcome == automation.OutcomeDone {
			outcomes["done"]++
			require.Equal(t, "1", s.Do("GET", "n:"+name), name)
		} else {
			outcomes["failed"]++
			require.Equal(t, automation.OutcomeFailed, outcome, name)
			require.Nil(t, s.Do("GET", "n:"+name), name)
		}
		_, err = c.make(whole)
		require.NoError(t, err, name)
		require.Equal(t, "1", s.Do("GET", "n:"+name), name)
		require.Equal(t, int64(1), s.Do("LLEN", "l:"+name), name)
	}
	for n := range total.sentUp.Load() {
		check(fmt.Sprint("up", n), &line{up: n, down: -1})
	}
	for n := range total.sentDown.Load() {
		check(fmt.Sprint("down", n), &line{up: -1, down: n})
	}
	for _, kind := range []string{"not sent", "failed", "done", "answered"} {
		require.NotZero(t, outcomes[kind], "%s: %v", kind, outcomes)
	}
	t.Logf("cut at %d bytes there and %d back: %v", total.sentUp.Load(), total.sentDown.Load(), outcomes)
}
