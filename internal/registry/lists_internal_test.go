package registry

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestListsKeepOneForEachUserOfAServer(t *testing.T) {
	t.Parallel()
	var l lists
	old, now := &listed{}, &listed{}
	l.keep("alice", 1, old)
	l.keep("alice", 1, now) // after her token was renewed, say
	l.keep("bob", 1, old)
	l.keep("alice", 2, old)
	require.Len(t, l.known, 3)
	require.Same(t, now, l.find("alice", 1))
	require.Nil(t, l.find("bob", 2))
	l.forget(1)
	require.Nil(t, l.find("alice", 1))
	require.Nil(t, l.find("bob", 1))
	require.Same(t, old, l.find("alice", 2))
}
