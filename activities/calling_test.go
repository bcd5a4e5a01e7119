package activities

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/automation"
	"steward/internal/mcpclient"
)

func TestProgressOfACallIsPassedOn(t *testing.T) {
	t.Parallel()
	c := &calling{now: automation.Progress{Step: 2, Call: "call_1"}}
	_, ok := c.shown()
	require.False(t, ok, "that it is under way, its audit event says")
	require.Nil(t, c.details())
	c.say(mcpclient.Progress{Done: 3, Total: 10, Message: "half\x1b[31m way\u202e" + strings.Repeat("x", 500)})
	now, ok := c.shown()
	require.True(t, ok)
	require.True(t, strings.HasPrefix(now.Message, "half way"), "what a terminal would obey is gone")
	require.Len(t, now.Message, maxSaid)
	now.Message = ""
	require.Equal(t, automation.Progress{Step: 2, Doing: "calling", Call: "call_1", Done: 3, Total: 10}, now)
	require.Len(t, c.details(), 1, "heartbeats carry it")
}
