package connector

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// door is a link that says when it is closed.
type door struct {
	once   sync.Once
	closed chan struct{}
}

func newDoor() *door { return &door{closed: make(chan struct{})} }

func (*door) Test(context.Context) error { return nil }

func (d *door) Close() { d.once.Do(func() { close(d.closed) }) }

func (d *door) isClosed() bool {
	select {
	case <-d.closed:
		return true
	default:
		return false
	}
}

func (l *links) with(t *testing.T, id string) *door {
	t.Helper()
	made, err := l.get(id, func() (Link, error) { return newDoor(), nil })
	require.NoError(t, err)
	return made.(*door)
}

func TestLinkIsMadeOnce(t *testing.T) {
	t.Parallel()
	l := newLinks()
	broken := errors.New("broken")
	_, err := l.get("a", func() (Link, error) { return nil, broken })
	require.ErrorIs(t, err, broken)
	a := l.with(t, "a")
	require.Same(t, a, l.with(t, "a"))
	b := l.with(t, "b")
	require.NotSame(t, a, b)
	l.end("a")
	<-a.closed
	l.end("a")
	require.NotSame(t, a, l.with(t, "a"))
	l.close()
	require.True(t, b.isClosed())
	require.Empty(t, l.open)
	late := l.with(t, "c")
	<-late.closed
	require.Empty(t, l.open, "nothing stays behind")
	l.closeIdle()
	require.Nil(t, l.sweep)
}

func TestIdleLinksAreClosed(t *testing.T) {
	t.Parallel()
	l := newLinks()
	t.Cleanup(l.close)
	idle, used := l.with(t, "idle"), l.with(t, "used")
	l.mu.Lock()
	l.open["idle"].used = time.Now().Add(-idleClose)
	l.mu.Unlock()
	l.closeIdle()
	<-idle.closed
	require.False(t, used.isClosed())
	require.NotNil(t, l.sweep, "the other one is looked at again")
	l.mu.Lock()
	l.open["used"].used = time.Now().Add(-idleClose)
	l.mu.Unlock()
	l.closeIdle()
	<-used.closed
	require.Nil(t, l.sweep, "nothing is left to look at")
}

func TestLinksOfAProcessAreBounded(t *testing.T) {
	t.Parallel()
	l := newLinks()
	t.Cleanup(l.close)
	first := l.with(t, "first")
	second := l.with(t, "second")
	for i := range mostLinks - 2 {
		l.with(t, fmt.Sprint(i))
	}
	l.with(t, "first")
	l.with(t, "one more")
	<-second.closed
	require.False(t, first.isClosed(), "it was used later")
	require.Len(t, l.open, mostLinks)
}

func TestLinksServeManyAtOnce(t *testing.T) {
	t.Parallel()
	l := newLinks()
	var asked sync.WaitGroup
	for i := range 64 {
		asked.Go(func() {
			for range 50 {
				l.with(t, fmt.Sprint(i%4))
				if i == 0 {
					l.end("1")
				}
			}
		})
	}
	asked.Wait()
	l.close()
	require.Empty(t, l.open)
}
