package tool_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/store"
	"steward/internal/tool"
)

func TestDirectRead(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	done, err := d.direct("get", `{"text":"a"}`)
	require.NoError(t, err)
	require.JSONEq(t, `{"text":"a"}`, done.Text)
	require.NotNil(t, done.Result)
	require.False(t, done.IsError)
	require.Zero(t, d.rows(), "a read has no row")
	require.Equal(t, []string{"tool.called done"}, d.kinds())
	require.Contains(t, d.events()[0].Body, done.CallID)
}

func TestDirectEffectIsWrittenDown(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	done, err := d.direct("post", `{"text":"a"}`)
	require.NoError(t, err)
	require.Equal(t, []string{"tool.claimed ", "tool.settled done"}, d.kinds())
	found, err := d.x.Look(t.Context(), owner, done.CallID)
	require.NoError(t, err)
	require.Equal(t, "done", found.Row.State)
	require.Equal(t, done.Text, found.Done.Text)
	require.JSONEq(t, string(done.Result.Content), string(found.Done.Result.Content))
	require.Equal(t, done.CallID, d.remote.last(t).key, "the server can tell a repeated call")
}

func TestDirectToolThatSaysItFailed(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	done, err := d.direct("fail", "")
	require.NoError(t, err)
	require.True(t, done.IsError)
	require.Equal(t, "mailbox full", done.Text)
	require.Equal(t, []string{"tool.called failed"}, d.kinds())
}

func TestDirectComplaintsNameTheArgument(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for arguments, want := range map[string][]string{
		`{}`: {"body.args.to", "body.args.when"},
		`{"to":["a"],"when":{"day":1},"extra":1}`:       {"body.args.extra"},
		`{"to":["a",2],"when":{"day":1}}`:               {"body.args.to[1]"},
		`{"to":["a"],"when":{"day":0}}`:                 {"body.args.when.day"},
		`{"to":["a"],"when":{}}`:                        {"body.args.when.day"},
		`{"to":["a"],"when":{"day":1},"mode":"x"}`:      {"body.args.mode"},
		`{"to":"a","when":3}`:                           {"body.args.to", "body.args.when"},
		`[1]`:                                           {"body.args"},
		`{"to":["a"],"to":["b"],"when":{"day":1}}`:      {"body.args"},
		`{"to":["a"],"when":{"day":1},"mode":"fast"} x`: {"body.args"},
	} {
		_, err := d.direct("shaped", arguments)
		f, ok := errors.AsType[*fault.Error](err)
		require.True(t, ok, "%s: %v", arguments, err)
		require.Equal(t, fault.Invalid, f.Kind, arguments)
		var got []string
		for _, field := range f.Fields {
			got = append(got, field.Location)
		}
		require.Empty(t, cmp.Diff(want, got), arguments)
	}
	require.Zero(t, d.remote.count("", ""))
	require.Empty(t, d.kinds(), "nothing was to be recorded")
}

func TestDirectKey(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	first, err := d.direct("post", `{"text":"a"}`, keyed("k1"))
	require.NoError(t, err)
	again, err := d.direct("post", ` { "text" : "a" } `, keyed("k1"))
	require.NoError(t, err)
	require.True(t, again.Replayed)
	again.Replayed = false
	require.Empty(t, cmp.Diff(first, again))
	require.Equal(t, 1, d.remote.count("post", ""))

	for name, call := range map[string]func() (*tool.Done, error){
		"other arguments": func() (*tool.Done, error) { return d.direct("post", `{"text":"b"}`, keyed("k1")) },
		"other tool":      func() (*tool.Done, error) { return d.direct("send", `{"text":"a"}`, keyed("k1")) },
	} {
		_, err := call()
		require.Equal(t, tool.CodeMismatch, fault.CodeOf(err), name)
	}
	_, err = d.direct("post", `{"text":"a"}`, keyed("k1"), func(c *tool.Direct) { c.Owner, c.Actor = "bob", "bob" })
	require.NoError(t, err, "another owner's key is another key")
	_, err = d.direct("post", `{"text":"a"}`, keyed("k1"), func(c *tool.Direct) { c.Via = tool.ViaMCP })
	require.NoError(t, err, "and so is one of another way in")

	read, err := d.direct("get", `{"text":"a"}`, keyed("k2"))
	require.NoError(t, err)
	again, err = d.direct("get", `{"text":"a"}`, keyed("k2"))
	require.NoError(t, err)
	require.Equal(t, read.CallID, again.CallID)
	require.Equal(t, 1, d.remote.count("get", ""))

	n, err := d.db.ForgetDirectKeys(t.Context())
	require.NoError(t, err)
	require.Zero(t, n, "a key counts for a day")
	_, err = d.db.Pool.Exec(t.Context(), "UPDATE direct_calls SET created_at = created_at - interval '25 hours'")
	require.NoError(t, err)
	_, err = d.db.ForgetDirectKeys(t.Context())
	require.NoError(t, err)
	fresh, err := d.direct("post", `{"text":"b"}`, keyed("k1"))
	require.NoError(t, err)
	require.False(t, fresh.Replayed)
}

func TestDirectKeyInManyHands(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	others := []*tool.Executor{d.x, d.executor()}
	var wg sync.WaitGroup
	var mu sync.Mutex
	ids := map[string]int{}
	for i := range 64 {
		wg.Go(func() {
			for {
				done, err := others[i%2].Direct(t.Context(), tool.Direct{
					Owner: owner, Actor: owner, Via: tool.ViaREST, Server: deskServer, Tool: "post", Arguments: []byte(`{"text":"a"}`), Key: "one",
				})
				if fault.CodeOf(err) == tool.CodeInProgress {
					continue
				}
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					ids[err.Error()]++
					return
				}
				ids[done.CallID]++
				return
			}
		})
	}
	wg.Wait()
	require.Len(t, ids, 1, "all got the same answer")
	require.Equal(t, 1, d.remote.count("post", ""))
}

func TestDirectForeign(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	mine, err := d.direct("post", `{"text":"a"}`)
	require.NoError(t, err)
	_, err = d.db.Pool.Exec(t.Context(), "UPDATE mcp_servers SET owner = $1 WHERE id = $2", owner, deskServer)
	require.NoError(t, err)
	d.x.Changed(store.Change{Kind: store.ServerChanged})
	bobs := func(c *tool.Direct) { c.Owner, c.Actor = "bob", "bob" }
	_, foreign := d.direct("post", `{"text":"a"}`, bobs)
	_, absent := d.direct("post", `{"text":"a"}`, bobs, func(c *tool.Direct) { c.Server = 4711 })
	require.True(t, fault.Is(foreign, fault.NotFound))
	require.Equal(t, absent.Error(), foreign.Error())
	cat, err := d.x.Callable(t.Context(), "bob")
	require.NoError(t, err)
	require.Empty(t, cat.Tools)
	_, byFunction := d.direct("", `{"text":"a"}`, bobs, func(c *tool.Direct) { c.Server, c.Function = 0, "mcp_desk__post" })
	require.True(t, fault.Is(byFunction, fault.NotFound))

	_, foreign = d.x.Look(t.Context(), "bob", mine.CallID)
	_, absent = d.x.Look(t.Context(), "bob", "call_absent")
	require.True(t, fault.Is(foreign, fault.NotFound))
	require.Equal(t, absent.Error(), foreign.Error())
	require.Equal(t, 1, d.remote.count("", ""))
}

func TestDirectUnknownTool(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	_, err := d.direct("nothing", `{}`)
	require.True(t, fault.Is(err, fault.NotFound))
	_, err = d.direct("sent", `{}`)
	require.True(t, fault.Is(err, fault.NotFound), "a tool that is for asking afterwards alone")
}

func TestDirectByFunction(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	done, err := d.direct("", `{"text":"a"}`, func(c *tool.Direct) { c.Server, c.Function = 0, "mcp_desk__get" })
	require.NoError(t, err)
	require.JSONEq(t, `{"text":"a"}`, done.Text)
}

// claimedByTheDead leaves what a process leaves that dies between its claim and its answer.
func (d *desk) claimedByTheDead(id, name string, class automation.Class, lease time.Duration) {
	d.t.Helper()
	sealed, err := d.ring.Seal(tool.ArgumentsBinding(owner, id), []byte(`{"text":"a"}`))
	require.NoError(d.t, err)
	server, key := int64(deskServer), "key-"+id
	_, err = d.db.ClaimDirect(d.t.Context(), store.ClaimDirectParams{
		ID: id, Owner: owner, DirectActor: owner, Via: tool.ViaREST, IdempotencyKey: &key, ServerID: &server, ServerName: "desk", ToolName: name,
		Class: string(class), Pin: "p", ArgumentsSealed: sealed, Digest: "d", Lease: lease,
		Chain: automation.AuditUser(owner), EventKey: id + "/claimed", Kind: "tool.claimed", EventActor: owner, Body: "{}",
	})
	require.NoError(d.t, err)
}

func (d *desk) state(id string) (state, by string) {
	d.t.Helper()
	row, err := d.db.GetDirect(d.t.Context(), store.GetDirectParams{ID: id, Owner: owner})
	require.NoError(d.t, err)
	return row.State, row.ResolvedBy
}

func TestDirectSweep(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	const over = -time.Second
	d.claimedByTheDead("call_unsent", "send", automation.Effect, over) // died before it sent
	d.claimedByTheDead("call_sent", "send", automation.Effect, over)   // died before it settled
	d.remote.did = append(d.remote.did, deed{tool: "send", key: "call_sent"})
	d.claimedByTheDead("call_mute", "post", automation.Effect, over) // nobody can be asked
	d.claimedByTheDead("call_read", "get", automation.Read, over)
	d.claimedByTheDead("call_alive", "post", automation.Effect, time.Minute) // its process may still be at work
	n, err := d.x.Sweep(t.Context())
	require.NoError(t, err)
	require.Equal(t, 4, n)
	for id, want := range map[string][2]string{
		"call_unsent": {"failed", "probe"}, "call_sent": {"done", "probe"}, "call_mute": {"unknown", ""}, "call_read": {"failed", ""},
		"call_alive": {"claimed", ""},
	} {
		state, by := d.state(id)
		require.Equal(t, want, [2]string{state, by}, id)
	}
	n, err = d.executor().Sweep(t.Context())
	require.NoError(t, err)
	require.Zero(t, n, "each is settled once")

	found, err := d.x.Look(t.Context(), owner, "call_mute")
	require.NoError(t, err)
	require.Contains(t, found.Row.Reason, "died before it had an answer")
}

// A claim that was taken over can neither send nor settle.
func TestDirectLateAnswerChangesNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.claimedByTheDead("call_late", "post", automation.Effect, -time.Second)
	_, err := d.x.Sweep(t.Context())
	require.NoError(t, err)
	n, err := d.db.SettleDirect(t.Context(), store.SettleDirectParams{
		ID: "call_late", Fence: 1, State: "done", Chain: automation.AuditUser(owner), EventKey: "late", Kind: "tool.settled", EventActor: owner, Body: "{}",
	})
	require.NoError(t, err)
	require.Zero(t, n)
	state, _ := d.state("call_late")
	require.Equal(t, "unknown", state)
	for _, e := range d.events() {
		require.NotEqual(t, "late", e.EventKey, "and leaves no event")
	}
	holds, err := d.db.HoldsDirect(t.Context(), store.HoldsDirectParams{ID: "call_late", Fence: 1})
	require.NoError(t, err)
	require.False(t, holds)
}
