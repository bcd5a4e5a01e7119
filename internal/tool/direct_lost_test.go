package tool_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/fault"
	"steward/internal/tool"
)

// What a lost connection means depends on where it was lost and on what the tool does.
func TestDirectLostAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		tool  string
		where cut
		calls int    // that reached the tool
		code  string // of the fault; empty: an answer
		kinds []string
	}{
		"read, cut before":          {"get", cutBefore, 1, "", []string{"tool.called done"}},
		"read, cut after":           {"get", cutAfter, 2, "", []string{"tool.called done"}},
		"idempotent, cut before":    {"put", cutBefore, 1, "", []string{"tool.claimed ", "tool.settled done"}},
		"idempotent, cut after":     {"put", cutAfter, 2, "", []string{"tool.claimed ", "tool.settled done"}},
		"effect, cut before":        {"post", cutBefore, 0, tool.CodeOutcomeUnknown, []string{"tool.claimed ", "tool.settled unknown"}},
		"effect, cut after":         {"post", cutAfter, 1, tool.CodeOutcomeUnknown, []string{"tool.claimed ", "tool.settled unknown"}},
		"probed effect, cut after":  {"send", cutAfter, 1, "", []string{"tool.claimed ", "tool.settled done"}},
		"probed effect, cut before": {"send", cutBefore, 0, tool.CodeOutcomeUnknown, []string{"tool.claimed ", "tool.settled unknown"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			d.remote.once(c.tool, c.where)
			done, err := d.direct(c.tool, `{"text":"a"}`, func(in *tool.Direct) {
				if c.tool != "get" {
					in.Key = "k"
				}
			})
			require.Equal(t, c.calls, d.remote.count(c.tool, ""))
			require.Equal(t, c.kinds, d.kinds())
			if c.code == "" {
				require.NoError(t, err)
				require.False(t, done.IsError)
				return
			}
			require.Equal(t, c.code, fault.CodeOf(err))
			require.Equal(t, fault.Upstream, fault.KindOf(err))
			u, ok := errors.AsType[*tool.UnknownError](err)
			require.True(t, ok)
			require.Contains(t, u.Fault.Msg, u.CallID)

			_, err = d.direct(c.tool, `{"text":"a"}`, keyed("k"))
			again, ok := errors.AsType[*tool.UnknownError](err)
			require.True(t, ok, "it is not sent again under its key")
			require.Equal(t, u.CallID, again.CallID)
			require.Equal(t, c.calls, d.remote.count(c.tool, ""))
		})
	}
}

// What provably was not made says so, and its key may be used again.
func TestDirectServerIsAway(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	_, err := d.direct("post", `{"text":"warm"}`)
	require.NoError(t, err)
	address := d.remote.Listener.Addr()
	d.remote.CloseClientConnections()
	require.NoError(t, d.remote.Listener.Close())
	require.Eventually(t, func() bool { // a connection whose end nobody has noticed yet takes one more request
		_, err := d.direct("get", `{"text":"a"}`)
		return fault.CodeOf(err) == "server_unreachable"
	}, 10*time.Second, time.Millisecond)
	for _, name := range []string{"post", "get"} {
		_, err = d.direct(name, `{"text":"a"}`, keyed("k-"+name))
		require.Equal(t, "server_unreachable", fault.CodeOf(err), "%v", err)
		require.Contains(t, fault.Text(err), "nothing was done")
		require.NotContains(t, fault.Text(err), address.String())
	}
	require.Equal(t, 1, d.remote.count("", ""))
	var keys int
	require.NoError(t, d.db.Pool.QueryRow(t.Context(), "SELECT count(idempotency_key) FROM direct_calls").Scan(&keys))
	require.Zero(t, keys)
}
