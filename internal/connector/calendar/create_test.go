package calendar_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

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

func TestEventThatRepeats(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	for arguments, rules := range map[string][]string{
		`{"title":"Jour fixe","start":"2026-11-23T10:00","end":"2026-11-23T11:00","time_zone":"Europe/Berlin","recurrence":["RRULE:FREQ=WEEKLY;BYDAY=MO,WE;COUNT=10"]}`:                  {"RRULE:FREQ=WEEKLY;BYDAY=MO,WE;COUNT=10"},
		`{"title":"Birthday","start":"2026-11-23","end":"2026-11-23","recurrence":["RRULE:FREQ=YEARLY"]}`:                                                                                {"RRULE:FREQ=YEARLY"},
		`{"title":"Rent","start":"2026-11-23T10:00:00+01:00","end":"2026-11-23T11:00:00+01:00","time_zone":"UTC","recurrence":["RRULE:FREQ=MONTHLY;BYDAY=-1FR;UNTIL=20271231T235959Z"]}`: {"RRULE:FREQ=MONTHLY;BYDAY=-1FR;UNTIL=20271231T235959Z"},
	} {
		require.NoError(t, a.Call(create, googletest.NewAttempt(arguments), &event{}), arguments)
		body, err := a.Last("POST").GetBody()
		require.NoError(t, err)
		var sent struct{ Recurrence []string }
		require.NoError(t, json.NewDecoder(body).Decode(&sent))
		require.Equal(t, rules, sent.Recurrence)
	}
	for rule, reason := range map[string]string{
		"FREQ=DAILY":               "lacks RRULE: at its beginning",
		"RRULE:":                   `has a part "" that is unknown, or said twice`,
		"RRULE:COUNT=3":            "lacks FREQ",
		"RRULE:FREQ=HOURLY":        `has a FREQ that is none: "HOURLY"`,
		"RRULE:FREQ=DAILY;COUNT=0": `has a COUNT that is none: "0"`,
		"RRULE:FREQ=DAILY;COUNT=2;UNTIL=20271231": "has both COUNT and UNTIL",
		"RRULE:FREQ=DAILY;FREQ=DAILY":             `has a part "FREQ" that is unknown, or said twice`,
		"RRULE:FREQ=DAILY;UNTIL=tomorrow":         `has a UNTIL that is none: "tomorrow"`,
		"RRULE:FREQ=WEEKLY;BYDAY=MONDAY":          `has a BYDAY that is none: "MONDAY"`,
		"RRULE:FREQ=DAILY\r\nDTSTART:20260101":    `has a FREQ that is none: "DAILY\r\nDTSTART:20260101"`,
		"EXDATE:20261124T100000Z":                 "lacks RRULE: at its beginning",
	} {
		arguments, err := json.Marshal(map[string]any{"title": "x", "start": "2026-11-23", "end": "2026-11-23", "recurrence": []string{rule}})
		require.NoError(t, err)
		e := googletest.Failure(t, a.Call(create, googletest.NewAttempt(string(arguments)), &event{}))
		require.True(t, e.Answered)
		require.Equal(t, fmt.Sprintf("recurrence: %q %s", rule, reason), e.Reason)
	}
	const zoneless = `{"title":"x","start":"2026-11-23T10:00:00+01:00","end":"2026-11-23T11:00:00+01:00","recurrence":["RRULE:FREQ=DAILY"]}`
	require.Equal(t, "recurrence: it needs time_zone", googletest.Failure(t, a.Call(create, googletest.NewAttempt(zoneless), &event{})).Reason)
	require.Equal(t, 3, a.Count(google.EventInsert))
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
			call.Ages()
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

// The probe does not say of a request that is under way that nothing was done: a caller who is told so may make another
// call, and then there would be two events.
func TestProbeAwaitsWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	arrived, release := make(chan struct{}, 1), make(chan struct{})
	a.Inject(google.EventInsert, 1, google.Fault{Arrived: arrived, Before: release})
	call, tool := googletest.NewAttempt(lunch(12)), a.Tool(create)
	done, asked := make(chan error, 1), make(chan automation.Outcome, 1)
	go func() {
		_, err := tool.Call(t.Context(), a.Session.Session, call.Call())
		done <- err
	}()
	<-arrived
	go func() { asked <- a.Probe(create, call) }()
	require.Eventually(t, func() bool { return a.Count(google.EventGet) > 1 }, 10*time.Second, 20*time.Millisecond)
	close(release)
	require.NoError(t, <-done)
	require.Equal(t, automation.OutcomeDone, <-asked)
	require.Len(t, a.events(), 1)
}

// A receipt of the time before they had one: the event is looked for, but nobody knows since when.
func TestReceiptWithoutATimeIsRead(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	call := googletest.NewAttempt(lunch(12))
	require.NoError(t, a.Call(create, call, &event{}))
	call.SetReceipt(call.Mark())
	require.Equal(t, automation.OutcomeDone, a.Probe(create, call))

	call = googletest.NewAttempt(lunch(13))
	call.SetReceipt("0123456789abcdef")
	ctx, cancel := context.WithCancel(t.Context())
	asked := make(chan automation.Outcome, 1)
	before := a.Count(google.EventGet)
	go func() {
		found, _ := a.Tool(create).Probe(ctx, a.Session.Session, call.Call())
		asked <- found.Outcome
	}()
	require.Eventually(t, func() bool { return a.Count(google.EventGet) > before }, 10*time.Second, 20*time.Millisecond)
	cancel()
	require.Equal(t, automation.OutcomeUnknown, <-asked)
}

// A request that was under way while its sender was given up arrives after the event was made again: by the same call,
// when it seemed that nothing could be under way any more.
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
	call.Ages()
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
	require.NoError(t, a.Call("CALENDAR_DELETE_EVENT", googletest.NewAttempt(`{"event_id":"`+call.Mark()+`"}`), &event{}))
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
