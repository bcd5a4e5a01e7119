package redis_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	counterpart "steward/dev/counterpart/redis"
	"steward/internal/automation"
	"steward/internal/connector/redis"
)

func TestWrite(t *testing.T) {
	t.Parallel()
	s := counterpart.Start(t, counterpart.Options{})
	l := owner(s).and("allow_writes", true).open(t, direct)
	c := newChange(t, `SET greeting "hello world" EX 100`, `HSET user:1 name Ann`, `incrby n 5`, `RPUSH queue a b`, `LPOP queue`, `GET`+`DEL nothing`)
	got, err := c.make(l)
	require.NoError(t, err)
	require.Equal(t, []int{6, 0}, []int{got.Applied, got.Failed})
	answers := []any{}
	for _, r := range got.Results {
		answers = append(answers, r.Answer)
	}
	require.Equal(t, []any{"OK", 1.0, 5.0, 2.0, "a", nil}, answers)
	require.Equal(t, "hello world", s.Do("GET", "greeting"))
	mark := redis.MarkerPrefix + c.id
	require.Equal(t, "applied", s.Do("GET", mark))
	require.InDelta(t, 604800, s.Do("TTL", mark), 5)

	again, err := c.make(l)
	require.NoError(t, err)
	require.Equal(t, 6, again.Applied)
	require.NotEmpty(t, again.Note)
	require.Equal(t, "5", s.Do("GET", "n"), "once")
	require.Equal(t, automation.OutcomeDone, c.probe(l))
}

func TestCommandThatFailsWhileOthersRun(t *testing.T) {
	t.Parallel()
	s := counterpart.Start(t, counterpart.Options{})
	l := owner(s).and("allow_writes", true).open(t, direct)
	s.Do("SET", "text", "x")
	c := newChange(t, "INCR a", "LPUSH text x", "INCR b")
	got, err := c.make(l)
	require.NoError(t, err)
	require.Equal(t, []int{3, 1}, []int{got.Applied, got.Failed})
	require.Contains(t, got.Results[1].Error, "another type")
	require.Equal(t, "1", s.Do("GET", "b"))
	require.Equal(t, automation.OutcomeDone, c.probe(l))
}

func TestAnswersOfWritesAreBounded(t *testing.T) {
	t.Parallel()
	s := counterpart.Start(t, counterpart.Options{})
	l := owner(s).and("allow_writes", true).open(t, direct)
	large := strings.Repeat("x", 600<<10)
	s.Do("RPUSH", "queue", large, large, large)
	got, err := newChange(t, "LPOP queue 2", "INCR n").make(l)
	require.NoError(t, err)
	require.Nil(t, got.Results[0].Answer)
	require.NotEmpty(t, got.Note)
	require.Equal(t, int64(1), s.Do("LLEN", "queue"))

	for range 10 {
		s.Do("RPUSH", "queue", large)
	}
	c := newChange(t, "LPOP queue 10", "INCR n") // more than one reply may be
	if _, err = c.make(l); err != nil {
		require.True(t, failure(t, err).Ran)
	}
	require.Equal(t, automation.OutcomeDone, c.probe(l))
	require.Equal(t, int64(1), s.Do("LLEN", "queue"))
}

func TestWritesThatAreRefused(t *testing.T) {
	t.Parallel()
	s := counterpart.Start(t, counterpart.Options{})
	s.Do("SET", "k", "v")
	before := s.Digest()
	l := owner(s).and("allow_writes", true).open(t, direct)
	limited := as(s, s.Account("~app:*", "~steward:*", "+@all")).and("allow_writes", true).open(t, direct)
	require.NoError(t, limited.Test(t.Context()))
	for _, tt := range []struct {
		lines  []string
		reason string
	}{
		{nil, "1 to 100 commands"},
		{strings.Split(strings.Repeat("INCR a,", 101), ","), "1 to 100 commands"},
		{[]string{"INCR a", "FLUSHALL"}, "command 2"},
		{[]string{`EVAL "return 1" 0`}, "not among the commands"},
		{[]string{"BLPOP k 1"}, "not among the commands"},
		{[]string{"EXEC"}, "not among the commands"},
		{[]string{"GET k"}, "not among the commands"},
		{[]string{"SET k"}, "too few or too many"},
		{[]string{`SET "k`}, "a quote is not closed"},
		{[]string{"DEL k steward:call:call_x"}, "Steward's own"},
		{[]string{"INCR a", "SET k v BOGUS"}, ""}, // by the server, while it runs
		{[]string{"INCR a", "HSET h f"}, "too few or too many"},
		{[]string{"INCR a", "SETEX h 1 v w"}, "the server refuses: wrong number of arguments"},
	} {
		c := newChange(t, tt.lines...)
		_, err := c.make(l)
		if tt.reason == "" {
			require.NoError(t, err)
			s.Do("DEL", "a", redis.MarkerPrefix+c.id)
			continue
		}
		e := failure(t, err)
		require.True(t, e.Answered && !e.Ran, tt.lines)
		require.Contains(t, e.Reason, tt.reason)
	}
	e := failure(t, second(newChange(t, "INCR app:a", "INCR b").make(limited)))
	require.True(t, e.Answered && !e.Ran)
	require.Equal(t, before, s.Digest(), "a transaction that is refused leaves nothing, not even its mark")
}

func TestStaleAttemptChangesNothing(t *testing.T) {
	t.Parallel()
	s := counterpart.Start(t, counterpart.Options{})
	l := owner(s).and("allow_writes", true).open(t, direct)
	lost := errors.New("another attempt has this call")
	c := newChange(t, "INCR n")
	c.note = func(context.Context) error { return lost }
	_, err := c.make(l)
	require.ErrorIs(t, err, lost)
	require.False(t, failure(t, err).Ran)
	require.Nil(t, s.Do("GET", "n"))
}

// A probe that comes between the note and the transaction has the last word: the transaction fails. A later attempt
// that holds the claim goes through, and so does one more probe.
func TestProbeEndsWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	s := counterpart.Start(t, counterpart.Options{})
	l := owner(s).and("allow_writes", true).open(t, direct)
	other := owner(s).and("allow_writes", true).open(t, direct)
	c := newChange(t, "INCR n")
	for range 2 { // the second time a withdrawn mark is there already
		c.note = func(context.Context) error {
			require.Equal(t, automation.OutcomeFailed, c.probe(other))
			return nil
		}
		e := failure(t, second(c.make(l)))
		require.True(t, e.Ran, "the probe finds out")
		require.Nil(t, s.Do("GET", "n"))
	}
	require.Equal(t, automation.OutcomeFailed, c.probe(l))
	c.note = nil
	_, err := c.make(l)
	require.NoError(t, err)
	require.Equal(t, automation.OutcomeDone, c.probe(other))
	require.Equal(t, "1", s.Do("GET", "n"))
}

func TestWhatAProbeCannotKnow(t *testing.T) {
	t.Parallel()
	s := counterpart.Start(t, counterpart.Options{})
	l := owner(s).and("allow_writes", true).open(t, direct)
	c := newChange(t, "INCR n")
	require.Equal(t, automation.OutcomeFailed, c.probe(l), "nothing was noted, so nothing was sent")
	require.Nil(t, s.Do("GET", redis.MarkerPrefix+c.id))
	c.receipt = `{"at":1000}`
	require.Equal(t, automation.OutcomeUnknown, c.probe(l), "its mark would have expired")

	fresh := newChange(t, "INCR n")
	_, err := fresh.make(l)
	require.NoError(t, err)
	s.Do("DEL", redis.MarkerPrefix+fresh.id)
	s.Do("CONFIG", "SET", "maxmemory-policy", "allkeys-random", "maxmemory", "3mb")
	for i := range 3000 {
		s.Do("SET", fmt.Sprint("fill:", i), strings.Repeat("x", 4000))
	}
	s.Do("CONFIG", "SET", "maxmemory", "0")
	require.Equal(t, automation.OutcomeUnknown, fresh.probe(l), "the server has thrown keys away")
}
