package slack_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	stand "steward/dev/counterpart/slack"
	"steward/internal/automation"
	"steward/internal/oauth"
)

type posted struct{ Channel, TS, Status string }

const hello = `{"channel":"#general","text":"Hello *all*"}`

func TestPost(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t)
	c := newAttempt("SLACK_POST_MESSAGE", hello)
	var got posted
	require.NoError(t, w.call(c, &got))
	there := w.Messages(t, "general")
	require.Len(t, there, 1)
	require.Equal(t, "Hello *all*", there[0].Text)
	require.Equal(t, posted{w.Channel(t, "general"), there[0].TS, "posted"}, got)
	require.Equal(t, "steward_call", there[0].Metadata.EventType)
	require.Equal(t, c.id, there[0].Metadata.EventPayload["call"])
	require.Contains(t, c.receipt, got.Channel, "noted before it was posted")
}

func TestReply(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t)
	ts := w.Say(t, "deploys", "v1 is live")
	c := newAttempt("SLACK_REPLY", fmt.Sprintf(`{"channel":"deploys","thread_ts":%q,"text":"Thanks"}`, ts))
	w.Inject(stand.Post, 1, stand.Fault{Cut: true})
	require.True(t, failure(t, w.call(c, &posted{})).Ran)
	require.Equal(t, automation.OutcomeDone, w.probe(c))
	thread := w.Thread(t, "deploys", ts)
	require.Len(t, thread, 2)
	require.Equal(t, "Thanks", thread[1].Text)
	require.Len(t, w.Messages(t, "deploys"), 1)
}

func TestWhatIsNoMessageIsRefusedBeforeAnythingIsPosted(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t)
	for _, arguments := range []string{
		`{"channel":"general"}`, `{"channel":"general","text":" \n"}`, `{"channel":"","text":"x"}`, `{"channel":"nowhere","text":"x"}`,
	} {
		require.True(t, failure(t, w.call(newAttempt("SLACK_POST_MESSAGE", arguments), &posted{})).Answered, arguments)
	}
	require.Zero(t, w.Count(stand.Post))
}

func TestStaleAttemptPostsNothing(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t)
	c := newAttempt("SLACK_POST_MESSAGE", hello)
	lost := errors.New("another attempt has this call")
	c.note = func(context.Context, string) error { return lost }
	err := w.call(c, &posted{})
	require.ErrorIs(t, err, lost)
	require.False(t, failure(t, err).Ran)
	require.Zero(t, w.Count(stand.Post))
}

// What an attempt leaves behind at each point of its way, what the probe says of it, and that the next attempt makes
// it one message.
func TestPostIsMadeOnce(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t)
	for _, tt := range []struct {
		name    string
		method  stand.Method
		fault   stand.Fault
		ran     bool
		soon    automation.Outcome // what the probe says at once
		later   automation.Outcome // and when nothing can be under way any more
		already int
	}{
		{"the channel was not found out", stand.Channels, stand.Fault{Lost: true}, false, automation.OutcomeFailed, "", 0},
		{"posted, the answer is lost", stand.Post, stand.Fault{Cut: true}, true, automation.OutcomeDone, automation.OutcomeDone, 1},
		{"not posted: it may still be under way", stand.Post, stand.Fault{Lost: true}, true, automation.OutcomeUnknown, automation.OutcomeFailed, 0},
		{"Slack failed", stand.Post, stand.Fault{Error: "fatal_error"}, true, automation.OutcomeUnknown, automation.OutcomeFailed, 0},
		{"Slack failed, with a status", stand.Post, stand.Fault{Status: 502}, true, automation.OutcomeUnknown, automation.OutcomeFailed, 0},
		{"asked to wait", stand.Post, stand.Fault{Status: 429, RetryAfter: time.Second}, false, automation.OutcomeUnknown, automation.OutcomeFailed, 0},
	} {
		before := len(w.Messages(t, "general"))
		w.Inject(tt.method, 1, tt.fault)
		c := newAttempt("SLACK_POST_MESSAGE", hello)
		e := failure(t, w.call(c, &posted{}))
		require.Equal(t, tt.ran, e.Ran, tt.name)
		require.False(t, e.Answered, tt.name)
		require.Equal(t, tt.soon, w.probe(c), tt.name)
		require.Len(t, w.Messages(t, "general"), before+tt.already, tt.name)
		if tt.later != "" {
			c.ages(t)
			require.Equal(t, tt.later, w.probe(c), tt.name)
		}
		var got posted
		require.NoError(t, w.call(c, &got), tt.name) // the next attempt, with the receipt of this one
		require.Equal(t, automation.OutcomeDone, w.probe(c), tt.name)
		there := w.Messages(t, "general")
		require.Len(t, there, before+1, tt.name)
		require.Equal(t, there[0].TS, got.TS, tt.name)
	}
}

// A message of the worker that died is found, however much was written after it.
func TestProbeLooksThroughPages(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t)
	c := newAttempt("SLACK_POST_MESSAGE", hello)
	w.Inject(stand.Post, 1, stand.Fault{Cut: true})
	require.Error(t, w.call(c, &posted{}))
	for i := range 205 {
		w.Say(t, "general", fmt.Sprint(i))
	}
	require.Equal(t, automation.OutcomeDone, w.probe(c))
	require.Equal(t, 2, w.Count(stand.History))
}

// A request that was under way while its sender was given up arrives after the probe: until it can no more, the
// probe does not say that nothing was posted.
func TestRequestThatArrivesAfterTheProbe(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t)
	arrived, release := make(chan struct{}, 1), make(chan struct{})
	w.Inject(stand.Post, 1, stand.Fault{Arrived: arrived, Before: release})
	c := newAttempt("SLACK_POST_MESSAGE", hello)
	done := make(chan error, 1)
	post := toolNamed(t, c.tool)
	go func() {
		_, err := post.Call(t.Context(), w.session, c.call())
		done <- err
	}()
	<-arrived
	require.Equal(t, automation.OutcomeUnknown, w.probe(c))
	close(release)
	require.NoError(t, <-done)
	require.Equal(t, automation.OutcomeDone, w.probe(c))
	require.Len(t, w.Messages(t, "general"), 1)
}

func TestAnswersOfSlackAreSettled(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t)
	w.Inject(stand.Post, 1, stand.Fault{Error: "is_archived"})
	e := failure(t, w.call(newAttempt("SLACK_POST_MESSAGE", hello), &posted{}))
	require.True(t, e.Answered && !e.Ran)
	require.Equal(t, "the channel is archived", e.Reason)
}

func TestUnreadableReceiptIsNoAnswer(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t)
	c := newAttempt("SLACK_POST_MESSAGE", hello)
	c.receipt = "not json"
	_, err := toolNamed(t, c.tool).Probe(t.Context(), w.session, c.call())
	require.Error(t, err)
}

// A worker dies while its request is under way, which Slack receives all the same: whoever takes over finds it.
func TestWorkerThatDiesWhilePosting(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t)
	arrived, release := make(chan struct{}, 1), make(chan struct{})
	w.Inject(stand.Post, 1, stand.Fault{Arrived: arrived, Before: release})
	c := newAttempt("SLACK_POST_MESSAGE", hello)
	alive, kill := context.WithCancel(t.Context())
	done := make(chan error, 1)
	post := toolNamed(t, c.tool)
	go func() {
		_, err := post.Call(alive, w.session, c.call())
		done <- err
	}()
	<-arrived
	kill()
	require.True(t, failure(t, <-done).Ran)
	require.Equal(t, automation.OutcomeUnknown, w.probe(c))
	close(release)
	require.Eventually(t, func() bool { return w.probe(c) == automation.OutcomeDone }, 10*time.Second, 20*time.Millisecond)
	require.NoError(t, w.call(c, &posted{}), "the one who takes over")
	require.Len(t, w.Messages(t, "general"), 1)
}

// A person's id stands for the direct messages with that person.
func TestDirectMessages(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t)
	var bob string
	for _, u := range w.list("SLACK_LIST_USERS", `{}`).Users {
		if u.Name == stand.Bob {
			bob = u.ID
		}
	}
	require.NotEmpty(t, bob)
	post := newAttempt("SLACK_POST_MESSAGE", fmt.Sprintf(`{"channel":%q,"text":"just you"}`, bob))
	var posted struct{ Channel, TS string }
	require.NoError(t, w.call(post, &posted))
	require.NotEqual(t, bob, posted.Channel)
	require.Equal(t, automation.OutcomeDone, w.probe(post))
	read := w.list("SLACK_GET_HISTORY", fmt.Sprintf(`{"channel":%q}`, bob))
	require.Equal(t, posted.Channel, read.Channel)
	require.Equal(t, "just you", read.Messages[0].Text)

	w.session.Granted = []string{"chat:write", "im:write"}
	var need *oauth.ConsentError
	require.ErrorAs(t, w.call(newAttempt("SLACK_POST_MESSAGE", fmt.Sprintf(`{"channel":%q,"text":"again"}`, bob)), new(struct{})), &need)
	require.Equal(t, []string{"im:write", "im:history"}, need.Scopes)
}
