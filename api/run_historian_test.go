package api

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"steward/internal/store"
)

// The events are those of real runs, shortened; every event comes 10 ms after the one before.
var stories = map[string]struct{ events, told string }{
	"approved and sent": {
		events: `
run.accepted     {"state":"queued","model":"offline-rules-1"}
run.state        {"state":"running","status":"pending"}
tools.resolved   {"attempt":1,"tools":["mailbox/send_email"],"absent":[{"server":"calendar","reason":"it cannot be reached"}]}
run.state        {"state":"running","status":"pending"}
model.called     {"attempt":1,"step":1,"model":"offline-rules-1"}
decision.asked   {"attempt":1,"decision":"d","call":"c","step":1,"tool":"mailbox/send_email","kind":"approval","reason":"it may not be undone"}
tool.planned     {"call":"c","step":1,"tool":"mailbox/send_email","arguments":{"to":"Boss \u003cboss@example.com\u003e"},"waits":true}
model.answered   {"attempt":1,"step":1,"model":"offline-rules-1","calls":1,"usage":{"total_tokens":640}}
run.state        {"state":"waiting_for_approval","status":"pending"}
decision.made    {"call":"c","decision":"d","kind":"approval","verdict":"approve"}
run.state        {"state":"running","status":"pending"}
tool.claimed     {"attempt":1,"call":"c","step":1,"tool":"mailbox/send_email"}
tool.settled     {"attempt":1,"call":"c","step":1,"tool":"mailbox/send_email","state":"done"}
model.called     {"attempt":1,"step":2,"model":"offline-rules-1"}
model.answered   {"attempt":1,"step":2,"model":"offline-rules-1","usage":{"total_tokens":3720}}
run.finished     {"attempt":1,"state":"success","status":"success"}`,
		told: `
0 Run accepted: from alice
0 Run is running
0 Resolves tools = done: 1 tool; none of calendar: it cannot be reached
1 Asks the model what to do = done in 30 ms: offline-rules-1; 1 call, 640 tokens
1 Asks a person whether to call mailbox/send_email = approve in 40 ms: it may not be undone; decided by alice
1 Plans mailbox/send_email: {"to":"Boss <boss@example.com>"}
0 Run is waiting for approval
0 Run is running
1 Calls mailbox/send_email = done in 10 ms
2 Asks the model what to do = done in 10 ms: offline-rules-1; its answer, 3720 tokens
0 Run ended = success`,
	},
	"denied": {
		events: `
decision.asked   {"call":"c","step":1,"tool":"mailbox/send_email","kind":"approval","reason":"it may not be undone"}
decision.made    {"call":"c","kind":"approval","verdict":"deny"}
tool.settled     {"call":"c","step":1,"tool":"mailbox/send_email","state":"denied","reason":"a person denied the call: wrong recipient"}`,
		told: `
1 Asks a person whether to call mailbox/send_email = deny in 10 ms: it may not be undone; decided by alice
1 Does not call mailbox/send_email = denied: a person denied the call: wrong recipient`,
	},
	"a server asks, then works on a task in another worker": {
		events: `
tools.resolved   {"attempt":1,"tools":["travel/look"],"absent":[{"server":"travel","tool":"book","reason":"its definition has changed and must be reviewed"}]}
tool.claimed     {"attempt":1,"call":"c","step":1,"tool":"travel/look"}
decision.asked   {"call":"c","step":1,"tool":"travel/look","kind":"input","reason":"travel asks before it goes on with the call"}
tool.paused      {"attempt":1,"call":"c","step":1,"tool":"travel/look","reason":"the server asks before it goes on"}
decision.made    {"call":"c","kind":"input","verdict":"answer"}
session.moved    {"attempt":1,"call":"c","step":1,"reason":"what the server kept in it may be lost"}
tool.claimed     {"attempt":1,"call":"c","step":1,"tool":"travel/look"}
tool.paused      {"attempt":1,"call":"c","step":1,"tool":"travel/look","reason":"the server goes on by itself"}
tool.polled      {"attempt":1,"call":"c","step":1,"tool":"travel/look"}
tool.polled      {"attempt":1,"call":"c","step":1,"tool":"travel/look"}
tool.settled     {"attempt":1,"call":"c","step":1,"tool":"travel/look","state":"done"}`,
		told: `
0 Resolves tools = done: 1 tool; not travel/book: its definition has changed and must be reviewed
1 Calls travel/look = paused in 20 ms: the server asks before it goes on
1 Asks a person what travel/look wants to know = answer in 20 ms: travel asks before it goes on with the call; decided by alice
1 Session moves to another worker: what the server kept in it may be lost
1 Calls travel/look = paused in 10 ms: the server goes on by itself
1 Asks about the task of travel/look = done in 20 ms`,
	},
	"nobody answers": {
		events: `
decision.asked   {"call":"c","step":1,"tool":"mailbox/send_email","kind":"approval","reason":"it may not be undone"}
tool.settled     {"call":"c","step":1,"tool":"mailbox/send_email","state":"denied","reason":"nobody approved the call in time"}`,
		told: `
1 Asks a person whether to call mailbox/send_email = unanswered in 10 ms: it may not be undone
1 Does not call mailbox/send_email = denied: nobody approved the call in time`,
	},
	"unknown, left to a person": {
		events: `
tool.claimed     {"attempt":1,"call":"c","step":1,"tool":"files/write_file"}
decision.asked   {"call":"c","step":1,"tool":"files/write_file","kind":"unknown","reason":"there was no answer"}
run.state        {"state":"waiting_for_decision"}
tool.settled     {"attempt":2,"call":"c","step":1,"tool":"files/write_file","state":"unknown","reason":"there was no answer"}
decision.made    {"call":"c","kind":"unknown","verdict":"skip"}
tool.settled     {"call":"c","step":1,"tool":"files/write_file","state":"skipped","resolved_by":"person","reason":"a person chose to go on without it"}`,
		told: `
1 Calls files/write_file = unknown in 30 ms: there was no answer
1 Asks a person what became of files/write_file = skip in 30 ms: there was no answer; decided by alice
0 Run is waiting for decision
1 Goes on without files/write_file = skipped: a person chose to go on without it`,
	},
	"unknown, found out": {
		events: `
tool.claimed     {"attempt":1,"call":"c","step":1,"tool":"mailbox/send_email"}
tool.resumed     {"attempt":2,"call":"c","step":1,"tool":"mailbox/send_email","reason":"an earlier attempt left it without an answer"}
tool.settled     {"attempt":2,"call":"c","step":1,"tool":"mailbox/send_email","state":"unknown","reason":"the worker died"}
tool.released    {"attempt":2,"call":"c","step":1,"tool":"mailbox/send_email","state":"planned","reason":"the receiver says that it did not happen"}
tool.claimed     {"attempt":2,"call":"c","step":1,"tool":"mailbox/send_email"}
tool.settled     {"attempt":3,"call":"c","step":1,"tool":"mailbox/send_email","state":"unknown","reason":"the worker died"}
tool.settled     {"attempt":3,"call":"c","step":1,"tool":"mailbox/send_email","state":"done","resolved_by":"probe","reason":"{\"id\":\"m1\"}"}`,
		told: `
1 Calls mailbox/send_email = unknown in 20 ms: the worker died
1 Finds out what became of the call of mailbox/send_email: an earlier attempt left it without an answer
1 Will call mailbox/send_email again: the receiver says that it did not happen
1 Calls mailbox/send_email = unknown in 10 ms: the worker died
1 Finds out what became of mailbox/send_email = done: found out by asking the server: {"id":"m1"}`,
	},
	"still unknown": {
		events: `
tool.settled     {"call":"c","step":1,"tool":"mailbox/send_email","state":"unknown","reason":"the server could not say"}`,
		told: `
1 Cannot tell what became of mailbox/send_email = unknown: the server could not say`,
	},
	"workers die, a server is away, the model fails": {
		events: `
model.called     {"attempt":1,"step":1,"model":"m"}
model.called     {"attempt":2,"step":1,"model":"m"}
model.failed     {"attempt":2,"step":1,"model":"m","reason":"it is overloaded"}
run.state        {"state":"waiting_for_model"}
tool.claimed     {"attempt":1,"call":"c","step":1,"tool":"mailbox/search"}
tool.claimed     {"attempt":2,"call":"c","step":1,"tool":"mailbox/search"}
tool.released    {"attempt":2,"call":"c","step":1,"tool":"mailbox/search","reason":"connection refused"}
tool.refused     {"call":"x","step":1,"tool":"/no_such_tool","reason":"there is no tool of this name"}
a.later.kind     {}`,
		told: `
1 Asks the model what to do = interrupted in 10 ms: m
1 Asks the model what to do = failed in 10 ms: m; it is overloaded
0 Run is waiting for model
1 Calls mailbox/search = interrupted in 10 ms
1 Calls mailbox/search = not_sent in 10 ms: connection refused
1 Refuses no_such_tool = failed: there is no tool of this name
0 a.later.kind`,
	},
	"cancelled": {
		events: `
decision.asked   {"call":"c","step":1,"tool":"mailbox/send_email","kind":"approval","reason":"it may not be undone"}
model.called     {"attempt":1,"step":2,"model":"m"}
run.cancel_requested {}
run.finished     {"state":"cancelled","code":"cancelled","reason":"the run was cancelled"}`,
		told: `
1 Asks a person whether to call mailbox/send_email = unanswered in 30 ms: it may not be undone
2 Asks the model what to do = interrupted in 20 ms: m
0 alice asks to cancel the run
0 Run ended = cancelled: the run was cancelled`,
	},
	"not over": {
		events: `
tool.claimed     {"attempt":1,"call":"c","step":1,"tool":"mailbox/search"}`,
		told: `
1 Calls mailbox/search`,
	},
}

func TestHistoryReadsLikeAStory(t *testing.T) {
	t.Parallel()
	for name, story := range stories {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var events []*store.AuditEvent
			for i, line := range strings.Split(strings.TrimSpace(story.events), "\n") {
				kind, body, ok := strings.Cut(line, " ")
				require.True(t, ok, line)
				events = append(events, &store.AuditEvent{
					Seq: int64(i + 1), At: time.UnixMilli(int64(10 * i)), Kind: kind, Actor: "alice", Body: strings.TrimSpace(body),
				})
			}
			steps, err := history(events)
			require.NoError(t, err)
			require.Empty(t, cmp.Diff(strings.TrimSpace(story.told), strings.Join(told(steps), "\n")))
		})
	}
}

func told(steps []*HistoryStep) []string {
	var lines []string
	for _, s := range steps {
		line := fmt.Sprintf("%d %s", s.Step, s.Title)
		if s.Outcome != "" {
			line += " = " + s.Outcome
		}
		if s.DurationMS != nil {
			line += fmt.Sprintf(" in %d ms", *s.DurationMS)
		}
		if s.Detail != "" {
			line += ": " + s.Detail
		}
		lines = append(lines, line)
	}
	return lines
}

func TestDamagedEventIsAnError(t *testing.T) {
	t.Parallel()
	_, err := history([]*store.AuditEvent{{Chain: "run/1", Seq: 3, Body: "not JSON"}})
	require.ErrorContains(t, err, "run/1/3")
}
