package calendar_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/dev/counterpart/google"
	"steward/internal/automation"
	"steward/internal/connector/google/googletest"
)

const create = "CALENDAR_CREATE_EVENT"

func TestCreate(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	var got event
	call := googletest.NewAttempt(`{"title":"Plan","start":"2026-11-22T10:00","end":"2026-11-22T11:30:00","time_zone":"Europe/Berlin",
		"attendees":["Bob <BOB@example.com>","bob@example.com, carol@example.com"],"location":"Room 1","description":"The plan"}`)
	require.NoError(t, a.Call(create, call, &got))
	require.Regexp(t, `^[0-9a-v]{52}$`, got.ID, "letters and length that Google takes")
	require.Equal(t, "Plan", got.Title)
	require.Equal(t, "Room 1", got.Location)
	require.Equal(t, "The plan", got.Description)
	require.Equal(t, "2026-11-22T10:00:00", got.Start)
	require.Len(t, got.Attendees, 2, "each is invited once")
	require.Equal(t, "bob@example.com", got.Attendees[0].Email)
	require.Equal(t, "all", a.Last("POST").URL.Query().Get("sendUpdates"))
	require.Equal(t, got.ID, a.events()[0].ID)

	require.NoError(t, a.Call(create, googletest.NewAttempt(`{"title":"Fair","start":"2026-12-30","end":"2026-12-31"}`), &got))
	require.Equal(t, []string{"2026-12-30", "2026-12-31"}, []string{got.Start, got.End}, "both days count")
	require.Len(t, a.events(), 2)
}

func TestWhatIsNoEventIsRefusedBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	for arguments, reason := range map[string]string{
		`{"title":" ","start":"2026-11-22","end":"2026-11-22"}`:                                    "title: it is empty",
		`{"title":"x","start":"soon","end":"2026-11-22"}`:                                          `start: "soon" is neither a time of RFC 3339 nor a date`,
		`{"title":"x","start":"2026-11-22T10:00:00Z","end":"2026-13-22"}`:                          `end: "2026-13-22" is neither a time of RFC 3339 nor a date`,
		`{"title":"x","start":"2026-11-22","end":"2026-11-22T10:00:00Z"}`:                          "start, end: both must be days, or both times",
		`{"title":"x","start":"2026-11-22T10:00","end":"2026-11-22T11:00"}`:                        "start: a time without an offset needs time_zone",
		`{"title":"x","start":"2026-11-22","end":"2026-11-21"}`:                                    "end: it is before start",
		`{"title":"x","start":"2026-11-22","end":"2026-11-22","attendees":["nobody"]}`:             `attendees: "nobody" is not a mail address`,
		`{"title":"x","start":"2026-11-22","end":"2026-11-22","calendar_id":"nobody@example.com"}`: "there is no calendar with that id",
	} {
		e := googletest.Failure(t, a.Call(create, googletest.NewAttempt(arguments), &event{}))
		require.True(t, e.Answered, arguments)
		require.Equal(t, reason, e.Reason)
	}
	require.Equal(t, 1, a.Count(google.EventInsert))
}

// What an attempt leaves behind at each point of its way, what the probe says of it, and that there is one event in the
// end.
func TestEventIsMadeOnce(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		fault   google.Fault
		ran     bool
		outcome automation.Outcome
	}{
		{"it was not made", google.Fault{Lost: true}, true, automation.OutcomeFailed},
		{"it was made, the answer is lost", google.Fault{Cut: true}, true, automation.OutcomeDone},
		{"Google failed", google.Fault{Status: 503}, true, automation.OutcomeFailed},
		{"asked to wait", google.Fault{Status: 429}, false, automation.OutcomeFailed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t)
			a.Inject(google.EventInsert, 1, tt.fault)
			call := googletest.NewAttempt(lunch(12))
			require.Equal(t, automation.OutcomeFailed, a.Probe(create, call), "nothing was noted: nothing was sent")
			e := googletest.Failure(t, a.Call(create, call, &event{}))
			require.Equal(t, []bool{tt.ran, false}, []bool{e.Ran, e.Answered})
			require.Equal(t, tt.outcome, a.Probe(create, call))
			var got event
			require.NoError(t, a.Call(create, call.Again(), &got))
			require.Equal(t, automation.OutcomeDone, a.Probe(create, call))
			all := a.events()
			require.Len(t, all, 1)
			require.Equal(t, all[0].ID, got.ID)
			require.Equal(t, "Lunch 12", got.Title)
		})
	}
}

// A second attempt that knows nothing of the first, and asks for the same id.
func TestIDThatIsTakenIsOurs(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	call := googletest.NewAttempt(lunch(12))
	var first, second event
	require.NoError(t, a.Call(create, call, &first))
	again := call.Again()
	again.SetReceipt("")
	require.NoError(t, a.Call(create, again, &second))
	require.Equal(t, first, second)
	require.Equal(t, 2, a.Count(google.EventInsert))
	require.Len(t, a.events(), 1)

	again.SetReceipt("")
	a.Inject(google.EventGet, 1, google.Fault{Status: 503})
	require.True(t, googletest.Failure(t, a.Call(create, again, &second)).Ran, "it is there, and what it is cannot be said")
}

// A request that was under way while its sender was given up arrives after the event was made again.
func TestRequestThatArrivesLateMakesNoSecondEvent(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	arrived, release := make(chan struct{}, 1), make(chan struct{})
	a.Inject(google.EventInsert, 1, google.Fault{Arrived: arrived, Before: release})
	call, tool := googletest.NewAttempt(lunch(12)), a.Tool(create)
	done := make(chan error, 1)
	go func() {
		_, err := tool.Call(t.Context(), a.Session.Session, call.Call())
		done <- err
	}()
	<-arrived
	require.Equal(t, automation.OutcomeFailed, a.Probe(create, call))
	require.NoError(t, a.Call(create, call.Again(), &event{}))
	close(release)
	require.NoError(t, <-done, "the event stands: that it was another attempt makes no difference")
	require.Len(t, a.events(), 1)
}

// A person deletes the event before its answer is known: it was made all the same, and is not made again.
func TestEventThatAPersonDeletedIsDone(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.Inject(google.EventInsert, 1, google.Fault{Cut: true})
	call := googletest.NewAttempt(lunch(12))
	require.Error(t, a.Call(create, call, &event{}))
	require.NoError(t, a.Call("CALENDAR_DELETE_EVENT", googletest.NewAttempt(`{"event_id":"`+call.Receipt()+`"}`), &event{}))
	require.Equal(t, automation.OutcomeDone, a.Probe(create, call))
	var got event
	require.NoError(t, a.Call(create, call.Again(), &got))
	require.Equal(t, "cancelled", got.Status)
	require.Equal(t, "Lunch 12", got.Title)
	require.Empty(t, a.events())
}

func TestStaleAttemptMakesNothing(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	lost := errors.New("another attempt has this call")
	call := googletest.NewAttempt(lunch(12))
	call.Note = func(context.Context, string) error { return lost }
	err := a.Call(create, call, &event{})
	require.ErrorIs(t, err, lost)
	require.False(t, googletest.Failure(t, err).Ran)
	require.Zero(t, a.Count(google.EventInsert))
}

func TestProbeWithoutAnAnswerSaysSo(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	call := googletest.NewAttempt(lunch(12))
	require.NoError(t, a.Call(create, call, &event{}))
	a.Inject(google.EventGet, 9, google.Fault{Status: 503})
	found, err := a.Tool(create).Probe(t.Context(), a.Session.Session, call.Call())
	require.Error(t, err)
	require.Equal(t, automation.OutcomeUnknown, found.Outcome)
}
