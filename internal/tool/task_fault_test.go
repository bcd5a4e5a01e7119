package tool_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/automation"
	"steward/internal/store"
	"steward/internal/tool"
)

// locked is an error of a request about a task (SEP-2663), not of the task.
const locked = `!{"code":-32603,"message":"database is locked"}`

// once answers the first request of a method with text, and everything else as next does.
func once(method, text string, next func(*partner, ask) string) func(*partner, ask) string {
	return func(p *partner, a ask) string {
		if a.Method == method && p.count(method) == 1 {
			return text
		}
		return next(p, a)
	}
}

// The server cannot say how a task fares: the task is not over for that.
func TestTaskThatCannotBeReadGoesOn(t *testing.T) {
	t.Parallel()
	for name, says := range map[string]string{"an error": locked, "one with the code 0": `!{"code":0,"message":"try again"}`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPartner(t, tasks(says, task("completed", finished)))
			c := p.begin("book")
			_, err := p.attempt(c, 1, "", "")
			require.NoError(t, err)
			out, err := p.attempt(c, 2, "", "")
			require.NoError(t, err)
			require.Equal(t, automation.CallDone, out.State)
			require.Equal(t, "booked", p.result(c))
			require.Equal(t, 1, p.count("tools/call"))
		})
	}
}

func TestTaskThatCannotBeReadWhenItsRunEnds(t *testing.T) {
	t.Parallel()
	p := newPartner(t, tasks(locked, task("completed", finished)))
	c := p.begin("book")
	_, err := p.attempt(c, 1, "", "")
	require.NoError(t, err)
	require.NoError(t, p.x.CloseRun(t.Context(), p.run.ID, "the run was cancelled", stamp))
	require.Equal(t, string(automation.CallDone), p.row(c).State)
	require.Equal(t, 2, p.count("tasks/get"))
}

// A person has the server asked again what became of a call: an error to that is no answer.
func TestTaskThatCannotBeReadWhenAPersonAsks(t *testing.T) {
	t.Parallel()
	p := newPartner(t, tasks(gone, locked))
	c := p.begin("book")
	_, err := p.attempt(c, 1, "", "")
	require.NoError(t, err)
	out, err := p.attempt(c, 2, "", "")
	require.NoError(t, err)
	require.Equal(t, automation.CallUnknown, out.State)
	_, err = p.db.Decide(t.Context(), store.DecideParams{ID: out.Decision, Owner: owner, Verdict: string(automation.Check), DecidedBy: owner})
	require.NoError(t, err)
	in := p.input(c)
	in.Seq, in.Decision, in.Verdict = 1000, out.Decision, automation.Check
	out, err = p.x.Settle(t.Context(), in, tool.Stamp{TemporalRunID: "t1", ActivityID: "3", Attempt: 1})
	require.NoError(t, err)
	require.Equal(t, automation.CallUnknown, out.State)
	require.NotEmpty(t, out.Decision, "it is still a person's to say")
}

// asking is a server whose task asks until it was told so often, and is done then.
func asking(question string, told int) func(*partner, ask) string {
	return func(p *partner, a ask) string {
		switch {
		case a.Method == "tools/call":
			return taken
		case a.Method == "tasks/update":
			return `{"resultType":"complete"}`
		case p.count("tasks/update") < told:
			return `{"resultType":"complete","taskId":"t-1","status":"input_required","ttlMs":60000,"pollIntervalMs":60000,"inputRequests":{` + question + `}}`
		}
		return task("completed", finished)
	}
}

func TestAnswerThatATaskDidNotTake(t *testing.T) {
	t.Parallel()
	const page = `"page":{"method":"elicitation/create","params":{"mode":"url","message":"open","url":"http://example.com/","elicitationId":"1"}}`
	for name, tc := range map[string]struct {
		answer func(*partner, ask) string
		poll   time.Duration // of the attempt that takes the answer
		told   int
	}{
		"the server fails":            {once("tasks/update", locked, asking(seat("ann"), 2)), 5 * time.Second, 2},
		"with the code 0":             {once("tasks/update", `!{"code":0,"message":"no"}`, asking(seat("ann"), 2)), 5 * time.Second, 2},
		"the server forgets":          {asking(seat("ann"), 2), time.Minute, 2},
		"it does not fit":             {once("tasks/update", `!{"code":-32602,"message":"no"}`, asking(seat("ann"), 1)), 0, 1},
		"nobody can be asked":         {once("tasks/update", locked, asking(page, 2)), 5 * time.Second, 2},
		"nobody can be asked, forgot": {asking(page, 2), time.Minute, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPartner(t, tc.answer)
			c := p.begin("book")
			_, err := p.attempt(c, 1, "", "")
			require.NoError(t, err)
			out, err := p.attempt(c, 2, "", "")
			require.NoError(t, err)
			if out.Decision != "" {
				d := p.says(c, automation.Answer, `{"seat":"1A"}`)
				out, err = p.attempt(c, 3, d, automation.Answer)
				require.NoError(t, err)
			}
			if tc.poll > 0 {
				require.Equal(t, automation.CallResult{State: automation.CallClaimed, Poll: tc.poll}, out)
			}
			for n := int64(4); out.State == automation.CallClaimed && n < 7; n++ {
				out, err = p.attempt(c, n, "", "")
				require.NoError(t, err)
			}
			require.Equal(t, automation.CallDone, out.State)
			require.Equal(t, tc.told, p.count("tasks/update"))
			require.Equal(t, 1, p.count("tools/call"))
			require.Equal(t, "running", p.state())
		})
	}
}

// A JSON-RPC error is the server's answer, whatever its code.
func TestErrorWithTheCodeZeroIsAnAnswer(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"book", "look"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPartner(t, func(*partner, ask) string { return `!{"code":0,"message":"no such city"}` })
			c := p.begin(name)
			out, err := p.attempt(c, 1, "", "")
			require.NoError(t, err)
			require.Equal(t, automation.CallFailed, out.State)
			require.Contains(t, p.result(c), "no such city")

			done, err := p.x.Direct(t.Context(), tool.Direct{Owner: owner, Actor: owner, Via: tool.ViaREST, Server: partnerID, Tool: name})
			require.NoError(t, err)
			require.True(t, done.IsError)
			require.Contains(t, done.Text, "no such city")
			require.Equal(t, 2, p.count("tools/call"))
		})
	}
}
