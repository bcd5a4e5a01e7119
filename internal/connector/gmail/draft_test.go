package gmail_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/dev/counterpart/google"
	"steward/internal/automation"
	"steward/internal/connector/google/googletest"
)

const draft = "GMAIL_CREATE_DRAFT"

type drafted struct{ DraftID, MessageID, ThreadID, Status string }

func TestDraft(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	id := a.DeliverRaw(t, google.Alice, "From: bob@example.com\r\nSubject: Plan\r\nMessage-ID: <plan@b.example>\r\n\r\nWell?")
	var mail struct{ ThreadID string }
	require.NoError(t, a.Call("GMAIL_GET_EMAIL", googletest.NewAttempt(fmt.Sprintf(`{"message_id":%q}`, id)), &mail))
	var got drafted
	require.NoError(t, a.Call(draft, googletest.NewAttempt(fmt.Sprintf(`{"to":["bob@example.com"],"subject":"Re: Plan","body":"Größe","reply_to_message_id":%q}`, id)), &got))
	require.Equal(t, "drafted", got.Status)
	require.Equal(t, mail.ThreadID, got.ThreadID)
	drafts := a.Drafts(t, google.Alice)
	require.Len(t, drafts, 1)
	require.Equal(t, got.MessageID, drafts[0].ID)
	require.Equal(t, "Re: Plan", drafts[0].Subject)
	require.Equal(t, "Größe", drafts[0].Body)
	require.Equal(t, "<bob@example.com>", drafts[0].Header.Get("To"))
	require.Empty(t, a.Sent(t, google.Alice), "nobody receives it")
}

// What an attempt leaves behind at each point of its way, what the probe says of it, and that one draft holds the text
// in the end. An empty one that nobody has noted harms nobody.
func TestDraftIsWrittenOnce(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		kind    google.Kind
		fault   google.Fault
		ran     bool
		outcome automation.Outcome
		empty   int
	}{
		{"there is none", google.DraftCreate, google.Fault{Lost: true}, false, automation.OutcomeFailed, 0},
		{"there is one, its id is lost", google.DraftCreate, google.Fault{Cut: true}, false, automation.OutcomeFailed, 1},
		{"it was not written", google.DraftUpdate, google.Fault{Lost: true}, true, automation.OutcomeFailed, 0},
		{"it was written, the answer is lost", google.DraftUpdate, google.Fault{Cut: true}, true, automation.OutcomeDone, 0},
		{"Google failed", google.DraftUpdate, google.Fault{Status: 503}, true, automation.OutcomeFailed, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t)
			a.Inject(tt.kind, 1, tt.fault)
			c := googletest.NewAttempt(hello)
			e := googletest.Failure(t, a.Call(draft, c, &drafted{}))
			require.Equal(t, []bool{tt.ran, false}, []bool{e.Ran, e.Answered})
			require.Equal(t, tt.outcome, a.Probe(draft, c))
			again := c.Again()
			require.NoError(t, a.Call(draft, again, &drafted{}))
			require.Equal(t, automation.OutcomeDone, a.Probe(draft, again))
			var written int
			all := a.Drafts(t, google.Alice)
			for _, d := range all {
				if d.Subject == "Hello" {
					written++
				}
			}
			require.Equal(t, []int{1, tt.empty}, []int{written, len(all) - written})
		})
	}
}

// A request that was under way while its sender was given up arrives after the draft was taken away.
func TestTextThatArrivesAfterTheProbe(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	arrived, release := make(chan struct{}, 1), make(chan struct{})
	a.Inject(google.DraftUpdate, 1, google.Fault{Arrived: arrived, Before: release})
	c, tool := googletest.NewAttempt(hello), a.Tool(draft)
	done := make(chan error, 1)
	go func() {
		_, err := tool.Call(t.Context(), a.Session.Session, c.Call())
		done <- err
	}()
	<-arrived
	require.Equal(t, automation.OutcomeFailed, a.Probe(draft, c))
	require.NoError(t, a.Call(draft, c.Again(), &drafted{}))
	close(release)
	require.True(t, googletest.Failure(t, <-done).Ran, "the late one cannot know: it has to ask")
	require.Len(t, a.Drafts(t, google.Alice), 1)
}

func TestDraftThatAPersonDeletedIsUnknown(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	c := googletest.NewAttempt(hello)
	require.NoError(t, a.Call(draft, c, &drafted{}))
	a.Delete(t, google.Alice, a.Drafts(t, google.Alice)[0].ID)
	require.Equal(t, automation.OutcomeUnknown, a.Probe(draft, c), "deleted or sent: we do not guess")
}

func TestStaleAttemptWritesNothing(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	c := googletest.NewAttempt(hello)
	lost := errors.New("another attempt has this call")
	c.Note = func(context.Context, string) error { return lost }
	require.ErrorIs(t, a.Call(draft, c, &drafted{}), lost)
	require.Empty(t, a.Drafts(t, google.Alice))
}
