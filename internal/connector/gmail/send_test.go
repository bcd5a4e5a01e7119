package gmail_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	gmailapi "google.golang.org/api/gmail/v1"

	"steward/dev/counterpart/google"
	"steward/internal/automation"
	"steward/internal/connector/google/googletest"
	"steward/internal/oauth"
)

func asConsent(err error, need **oauth.ConsentError) bool { return errors.As(err, need) }

const hello = `{"to":["bob@example.com"],"subject":"Hello","body":"A line"}`

type receiptOfSend struct{ MessageID, ThreadID, Status string }

func TestSend(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	c := googletest.NewAttempt(`{"to":["Bob Bär <bob@example.com>, carol@example.com"],"cc":["dave@example.com"],"bcc":["eve@example.com"],
		"subject":"Summe: 120 € ` + strings.Repeat("für Grüße ", 20) + `","body":"Größe: 1\n.\nEnd = of text ` + strings.Repeat("long ", 100) + `"}`)
	var got receiptOfSend
	require.NoError(t, a.Call(send, c, &got))
	require.Equal(t, "sent", got.Status)
	sent := a.Sent(t, google.Alice)
	require.Len(t, sent, 1)
	require.Empty(t, a.Drafts(t, google.Alice))
	m := sent[0]
	require.Equal(t, got.MessageID, m.ID)
	require.Equal(t, got.ThreadID, m.Thread)
	require.Equal(t, "Summe: 120 € "+strings.TrimSpace(strings.Repeat("für Grüße ", 20)), m.Subject)
	require.Equal(t, "Größe: 1\r\n.\r\nEnd = of text "+strings.Repeat("long ", 100), m.Body)
	to, err := m.Header.AddressList("To")
	require.NoError(t, err)
	require.Len(t, to, 2)
	require.Equal(t, "Bob Bär", to[0].Name)
	require.Equal(t, "<alice@example.com>", m.Header.Get("From"))
	require.Equal(t, "<dave@example.com>", m.Header.Get("Cc"))
	require.Equal(t, "<eve@example.com>", m.Header.Get("Bcc"))
	require.Equal(t, c.ID, m.Header.Get("X-Steward-Call"))
	require.Equal(t, "<"+c.ID+"@example.com>", m.Header.Get("Message-ID"))
	require.NotEmpty(t, c.Receipt(), "the draft was noted before it was sent")
	require.Equal(t, []int{1, 1, 0}, []int{a.Count(google.DraftCreate), a.Count(google.DraftSend), a.Count(google.MessagesSend)})
}

// The request of seed 002, as it stands there.
func TestSendOfTheSeed(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	var got receiptOfSend
	require.NoError(t, a.Call(send, googletest.NewAttempt(`{"recipient_email":"marketing@company.com","subject":"Weekly Ad Campaign Summary","body":"Total: $8,000"}`), &got))
	require.Equal(t, "sent", got.Status)
	require.Equal(t, "<marketing@company.com>", a.Sent(t, google.Alice)[0].Header.Get("To"))
}

func TestReplyStaysInItsConversation(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	id := a.DeliverRaw(t, google.Alice, "From: bob@example.com\r\nSubject: Plan\r\nMessage-ID: <plan@b.example>\r\nReferences: <a@b.example> nonsense\r\n\tX: <b@b.example>\r\n\r\nWell?")
	var got receiptOfSend
	require.NoError(t, a.Call(send, googletest.NewAttempt(`{"to":["bob@example.com"],"subject":"Re: Plan","body":"Yes","reply_to_message_id":"`+id+`"}`), &got))
	m := a.Sent(t, google.Alice)[0]
	require.Equal(t, "<plan@b.example>", m.Header.Get("In-Reply-To"))
	require.Equal(t, "<a@b.example> <b@b.example> <plan@b.example>", m.Header.Get("References"))

	e := googletest.Failure(t, a.Call(send, googletest.NewAttempt(`{"to":["bob@example.com"],"subject":"Re","body":"Yes","reply_to_message_id":"nope"}`), &got))
	require.True(t, e.Answered)
	a.Granted = []string{gmailapi.GmailComposeScope}
	e = googletest.Failure(t, a.Call(send, googletest.NewAttempt(`{"to":["bob@example.com"],"subject":"Re","body":"Yes","reply_to_message_id":"`+id+`"}`), &got))
	need := &oauth.ConsentError{}
	require.ErrorAs(t, e, &need)
	require.Equal(t, gmailapi.GmailReadonlyScope, need.Scopes[0])
	require.Len(t, a.Sent(t, google.Alice), 1)
}

func TestWhatIsNoMailIsRefusedBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	for _, arguments := range []string{
		`{"subject":"s","body":"b"}`,
		`{"to":[],"subject":"s","body":"b"}`,
		`{"to":["nobody"],"subject":"s","body":"b"}`,
		`{"to":["a@b.example\r\nBcc: c@d.example"],"subject":"s","body":"b"}`,
		`{"to":["a@b.example"],"cc":["x"],"subject":"s","body":"b"}`,
		`{"to":["a@b.example"],"subject":"s\r\nBcc: c@d.example","body":"b"}`,
		`{"to":["a@b.example"],"subject":"s\u0000","body":"b"}`,
		`{"to":["` + strings.Repeat("a@b.example,", 100) + `a@b.example"],"subject":"s","body":"b"}`,
	} {
		e := googletest.Failure(t, a.Call(send, googletest.NewAttempt(arguments), &receiptOfSend{}))
		require.True(t, e.Answered, arguments)
	}
	require.Zero(t, a.Count(google.DraftCreate))
}

func TestStaleAttemptSendsNothingAndTakesItsDraftAway(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	c := googletest.NewAttempt(hello)
	lost := errors.New("another attempt has this call")
	c.Note = func(context.Context, string) error { return lost }
	err := a.Call(send, c, &receiptOfSend{})
	require.ErrorIs(t, err, lost)
	require.False(t, googletest.Failure(t, err).Ran)
	require.Empty(t, a.Sent(t, google.Alice))
	require.Empty(t, a.Drafts(t, google.Alice))
}

// What an attempt leaves behind at each point of its way, and what the probe says of it.
func TestProbe(t *testing.T) {
	t.Parallel()
	readAndDraft := []string{gmailapi.GmailReadonlyScope, gmailapi.GmailComposeScope}
	draftOnly := []string{gmailapi.GmailComposeScope}
	sendAndRead := []string{gmailapi.GmailSendScope, gmailapi.GmailReadonlyScope}
	sendOnly := []string{gmailapi.GmailSendScope}
	cut, lost := google.Fault{Cut: true}, google.Fault{Lost: true}
	for _, tt := range []struct {
		name    string
		scopes  []string
		kind    google.Kind
		fault   google.Fault
		ran     bool
		outcome automation.Outcome
		mails   int
	}{
		{"no draft was made", readAndDraft, google.DraftCreate, lost, false, automation.OutcomeFailed, 0},
		{"a draft was made, its id is lost", readAndDraft, google.DraftCreate, cut, false, automation.OutcomeFailed, 0},
		{"the draft was not sent", readAndDraft, google.DraftSend, lost, true, automation.OutcomeFailed, 0},
		{"the draft was sent, the answer is lost", readAndDraft, google.DraftSend, cut, true, automation.OutcomeDone, 1},
		{"Google failed before it sent", readAndDraft, google.DraftSend, google.Fault{Status: 503}, true, automation.OutcomeFailed, 0},
		{"not sent, sent mail cannot be read", draftOnly, google.DraftSend, lost, true, automation.OutcomeFailed, 0},
		{"sent, but sent mail cannot be read", draftOnly, google.DraftSend, cut, true, automation.OutcomeUnknown, 1},
		{"sent directly, the answer is lost", sendAndRead, google.MessagesSend, cut, true, automation.OutcomeDone, 1},
		{"not sent directly: it may still be under way", sendAndRead, google.MessagesSend, lost, true, automation.OutcomeUnknown, 0},
		{"sent directly, nothing can be read", sendOnly, google.MessagesSend, cut, true, automation.OutcomeUnknown, 1},
		{"asked to wait", readAndDraft, google.DraftSend, google.Fault{Status: 429}, false, automation.OutcomeFailed, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t, tt.scopes...)
			a.Inject(tt.kind, 1, tt.fault)
			c := googletest.NewAttempt(hello)
			e := googletest.Failure(t, a.Call(send, c, &receiptOfSend{}))
			require.Equal(t, tt.ran, e.Ran)
			require.False(t, e.Answered)
			require.Equal(t, tt.outcome, a.Probe(send, c))
			require.Len(t, a.Sent(t, google.Alice), tt.mails)
			if tt.outcome == automation.OutcomeUnknown {
				return
			}
			// The next attempt, with the receipt of this one.
			if tt.outcome == automation.OutcomeFailed {
				require.NoError(t, a.Call(send, c, &receiptOfSend{}))
			}
			if a.Grants(gmailapi.GmailReadonlyScope) {
				require.Equal(t, automation.OutcomeDone, a.Probe(send, c))
			}
			require.Len(t, a.Sent(t, google.Alice), 1)
		})
	}
}

// A person who says "send again" after an unknown outcome that can be cleared up meanwhile gets no second mail.
func TestSendingAgainFindsTheMailThatIsOut(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.Inject(google.DraftSend, 1, google.Fault{Cut: true})
	c := googletest.NewAttempt(hello)
	require.Error(t, a.Call(send, c, &receiptOfSend{}))
	var got receiptOfSend
	require.NoError(t, a.Call(send, c, &got))
	require.Equal(t, a.Sent(t, google.Alice)[0].ID, got.MessageID)
	require.Len(t, a.Sent(t, google.Alice), 1)
}

func TestMailThatAPersonDeletedIsUnknown(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.Inject(google.DraftSend, 1, google.Fault{Cut: true})
	c := googletest.NewAttempt(hello)
	require.Error(t, a.Call(send, c, &receiptOfSend{}))
	a.Delete(t, google.Alice, a.Sent(t, google.Alice)[0].ID)
	require.Equal(t, automation.OutcomeUnknown, a.Probe(send, c), "Gmail no longer knows; we do not guess")
}

// A request that was under way while its sender was given up arrives after the probe: it sends nothing.
func TestRequestThatArrivesAfterTheProbe(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	arrived, release := make(chan struct{}, 1), make(chan struct{})
	a.Inject(google.DraftSend, 1, google.Fault{Arrived: arrived, Before: release})
	c := googletest.NewAttempt(hello)
	done := make(chan error, 1)
	tool := a.Tool(send)
	go func() {
		_, err := tool.Call(t.Context(), a.Session.Session, c.Call())
		done <- err
	}()
	<-arrived
	require.Equal(t, automation.OutcomeFailed, a.Probe(send, c))
	second := c.Again()
	require.NoError(t, a.Call(send, second, &receiptOfSend{}))
	close(release)
	require.True(t, googletest.Failure(t, <-done).Ran, "the late one cannot know: it has to ask")
	require.Len(t, a.Sent(t, google.Alice), 1)
	require.Equal(t, automation.OutcomeDone, a.Probe(send, c))
}

func TestRefusedMailLeavesNoDraft(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.Inject(google.DraftSend, 1, google.Fault{Status: http.StatusBadRequest, Reason: "invalidArgument"})
	e := googletest.Failure(t, a.Call(send, googletest.NewAttempt(hello), &receiptOfSend{}))
	require.True(t, e.Answered)
	require.Empty(t, a.Drafts(t, google.Alice))
}

func TestUnreadableReceiptIsNoAnswer(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	c := googletest.NewAttempt(hello)
	c.SetReceipt("not json")
	_, err := a.Tool(send).Probe(t.Context(), a.Session.Session, c.Call())
	require.Error(t, err)
}
