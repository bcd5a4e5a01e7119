package tool_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/mcpclient"
	"steward/internal/tool"
)

// task is what a server says of a task.
func task(status, rest string) string {
	return fmt.Sprintf(`{"resultType":"complete","taskId":"t-1","status":%q,"createdAt":"2026-11-21T00:00:00Z","ttlMs":60000,"pollIntervalMs":1%s}`, status, rest)
}

const (
	taken    = `{"resultType":"task","taskId":"t-1","status":"working","createdAt":"2026-11-21T00:00:00Z","ttlMs":60000,"pollIntervalMs":60000}`
	gone     = `!{"code":-32602,"message":"unknown task"}`
	finished = `,"result":{"content":[{"type":"text","text":"booked"}]}`
)

// tasks answers a call with a task, and questions about it as the script says; the last one stands.
func tasks(script ...string) func(*partner, ask) string {
	return func(p *partner, a ask) string {
		switch a.Method {
		case "tools/call":
			return taken
		case "tasks/get":
			return script[min(p.count("tasks/get"), len(script))-1]
		}
		return `{"resultType":"complete"}`
	}
}

func TestTaskIsAskedAboutAndNothingCalledAgain(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"book", "look"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPartner(t, tasks(task("working", `,"statusMessage":"half way"`), task("completed", finished)))
			c := p.begin(name)
			out, err := p.attempt(c, 1, "", "")
			require.NoError(t, err)
			require.Equal(t, automation.CallResult{State: automation.CallClaimed, Poll: time.Minute}, out, "the server wishes for a minute: a timer waits, not we")
			require.Equal(t, "t-1", p.row(c).TaskID)

			var said []mcpclient.Progress
			in := p.input(c)
			in.Seq = 100
			out, err = p.executor().Execute(t.Context(), in, tool.Stamp{TemporalRunID: "t1", ActivityID: "2", Attempt: 1},
				func(p mcpclient.Progress) { said = append(said, p) }) // another worker, or the same after kill -9
			require.NoError(t, err)
			require.Equal(t, automation.CallDone, out.State)
			require.Equal(t, "booked", p.result(c))
			require.Equal(t, "half way", said[0].Message)

			out, err = p.x.Execute(t.Context(), in, tool.Stamp{TemporalRunID: "after a Reset", ActivityID: "1", Attempt: 1}, nil)
			require.NoError(t, err)
			require.Equal(t, automation.CallDone, out.State)
			require.Equal(t, 1, p.count("tools/call"))
			require.Equal(t, 2, p.count("tasks/get"), "several looks in one attempt")
		})
	}
}

func TestHowTasksEnd(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		tool, says string
		state      automation.CallState
		asked      bool
		text       string
	}{
		"failed":        {"book", task("failed", `,"error":{"code":-32000,"message":"no seats"}`), automation.CallFailed, false, "no seats"},
		"failed, 0":     {"book", task("failed", `,"error":{"code":0,"message":"no seats"}`), automation.CallFailed, false, "no seats"},
		"said no":       {"book", task("completed", `,"result":{"content":[{"type":"text","text":"full"}],"isError":true}`), automation.CallFailed, false, "full"},
		"cancelled":     {"book", task("cancelled", ""), automation.CallCancelled, false, "cancelled its task"},
		"lost, effect":  {"book", gone, automation.CallUnknown, true, "no longer knows"},
		"lost, a read":  {"look", gone, automation.CallFailed, false, "no longer knows"},
		"another's end": {"book", `{"resultType":"complete","taskId":"t-2","status":"working"}`, automation.CallClaimed, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPartner(t, tasks(tc.says))
			c := p.begin(tc.tool)
			_, err := p.attempt(c, 1, "", "")
			require.NoError(t, err)
			ctx := t.Context()
			if tc.state == automation.CallClaimed { // it is asked on and on
				short, cancel := context.WithTimeout(ctx, 2*time.Second)
				defer cancel()
				ctx = short
			}
			in := p.input(c)
			in.Seq = 100
			out, err := p.x.Execute(ctx, in, tool.Stamp{TemporalRunID: "t1", ActivityID: "2", Attempt: 1}, nil)
			require.Equal(t, tc.state, out.State)
			require.Equal(t, tc.asked, out.Decision != "")
			require.Equal(t, 1, p.count("tools/call"))
			if tc.text == "" {
				require.ErrorIs(t, err, context.DeadlineExceeded)
				return
			}
			require.NoError(t, err)
			require.Contains(t, p.result(c), tc.text)
		})
	}
}

// The server is away for a while: it is asked again, and the run goes on.
func TestTaskOfAServerThatIsAway(t *testing.T) {
	t.Parallel()
	away := 2
	p := newPartner(t, nil)
	p.answer = func(p *partner, a ask) string {
		if a.Method == "tools/call" {
			return taken
		}
		if p.count("tasks/get") <= away {
			return ""
		}
		return task("completed", finished)
	}
	c := p.begin("book")
	_, err := p.attempt(c, 1, "", "")
	require.NoError(t, err)
	out, err := p.attempt(c, 2, "", "")
	require.NoError(t, err)
	require.Equal(t, automation.CallDone, out.State)
}

func TestTaskThatAsksAPerson(t *testing.T) {
	t.Parallel()
	p := newPartner(t, nil)
	p.answer = func(p *partner, a ask) string {
		switch a.Method {
		case "tools/call":
			return taken
		case "tasks/update":
			return `{"resultType":"complete"}`
		}
		if p.count("tasks/update") == 0 {
			return task("input_required", `,"inputRequests":{`+seat("ann")+`}`)
		}
		return task("completed", finished)
	}
	c := p.begin("book")
	_, err := p.attempt(c, 1, "", "")
	require.NoError(t, err)
	out, err := p.attempt(c, 2, "", "")
	require.NoError(t, err)
	require.Equal(t, automation.CallClaimed, out.State, "it stays claimed: it is on its way")
	require.Equal(t, "Which seat, ann?", p.question(c).Message)
	require.Equal(t, "waiting_for_decision", p.state())
	again, err := p.attempt(c, 2, "", "")
	require.NoError(t, err)
	require.Equal(t, out, again)
	d := p.says(c, automation.Answer, `{"seat":"1A"}`)
	out, err = p.attempt(c, 3, d, automation.Answer)
	require.NoError(t, err)
	require.Equal(t, automation.CallDone, out.State)
	require.Equal(t, 1, p.count("tools/call"))
	require.Equal(t, 1, p.count("tasks/update"))
	require.Equal(t, "running", p.state())
}

func TestTaskIsCancelledWithItsRun(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		after string
		state automation.CallState
	}{
		"it stops":       {task("cancelled", ""), automation.CallCancelled},
		"it was done":    {task("completed", finished), automation.CallDone},
		"it says no end": {task("working", ""), automation.CallUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPartner(t, nil)
			p.answer = func(p *partner, a ask) string {
				switch {
				case a.Method == "tools/call":
					return taken
				case a.Method == "tasks/cancel":
					return `{"resultType":"complete"}`
				case p.count("tasks/cancel") > 0:
					return tc.after
				}
				return task("working", "")
			}
			c := p.begin("book")
			_, err := p.attempt(c, 1, "", "")
			require.NoError(t, err)
			ctx, cancel := context.WithCancel(t.Context())
			polling := make(chan error, 1)
			go func() {
				in := p.input(c)
				in.Seq = 100
				_, err := p.x.Execute(ctx, in, tool.Stamp{TemporalRunID: "t1", ActivityID: "2", Attempt: 1}, nil)
				polling <- err
			}()
			require.Eventually(t, func() bool { return p.count("tasks/get") > 0 }, 10*time.Second, 10*time.Millisecond)
			cancel()
			require.ErrorIs(t, <-polling, context.Canceled)
			require.Zero(t, p.count("tasks/cancel"), "a worker that stops, or an operator's pause, cancels nothing")
			require.NoError(t, p.x.CloseRun(t.Context(), p.run.ID, "the run was cancelled", stamp))
			require.Equal(t, string(tc.state), p.row(c).State)
			require.Equal(t, 1, p.count("tasks/cancel"))
		})
	}
}

// Nobody answers a task's question for a week: the task is asked to end.
func TestTaskThatNobodyAnswers(t *testing.T) {
	t.Parallel()
	p := newPartner(t, nil)
	p.answer = func(p *partner, a ask) string {
		switch {
		case a.Method == "tools/call":
			return taken
		case a.Method == "tasks/cancel":
			return `{"resultType":"complete"}`
		case p.count("tasks/cancel") > 0:
			return task("cancelled", "")
		}
		return task("input_required", `,"inputRequests":{`+seat("ann")+`}`)
	}
	c := p.begin("book")
	_, err := p.attempt(c, 1, "", "")
	require.NoError(t, err)
	out, err := p.attempt(c, 2, "", "")
	require.NoError(t, err)
	in := p.input(c)
	in.Decision, in.Verdict = out.Decision, automation.Expired
	out, err = p.x.Settle(t.Context(), in, stamp)
	require.NoError(t, err)
	require.Equal(t, automation.CallCancelled, out.State)
}

// A call outside a run asks for no task. A server that answers with one leaves open whether the call takes effect.
func TestDirectCallIsAnsweredWithATask(t *testing.T) {
	t.Parallel()
	p := newPartner(t, tasks(task("working", "")))
	call := func(name string) error {
		_, err := p.x.Direct(t.Context(), tool.Direct{Owner: owner, Actor: owner, Via: tool.ViaREST, Server: partnerID, Tool: name})
		return err
	}
	err := call("book")
	require.Equal(t, tool.CodeOutcomeUnknown, fault.CodeOf(err), "%v", err)
	require.ErrorContains(t, err, "a task of its own")
	err = call("look")
	require.True(t, fault.Is(err, fault.Upstream), "%v", err)
	require.ErrorContains(t, err, "a task of its own")
	require.Equal(t, 2, p.count("tools/call"), "neither was made again")
}
