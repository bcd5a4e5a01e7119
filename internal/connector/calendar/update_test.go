package calendar_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/dev/counterpart/google"
	"steward/internal/automation"
	"steward/internal/connector/google/googletest"
)

const update = "CALENDAR_UPDATE_EVENT"

func (a account) lunch() (id string) {
	return a.make(`{"title":"Lunch","start":"2026-11-12T12:00:00Z","end":"2026-11-12T13:00:00Z","attendees":["bob@example.com","carol@example.com"]}`)
}

func dinner(id string) *googletest.Attempt {
	return googletest.NewAttempt(fmt.Sprintf(`{"event_id":%q,"title":"Dinner","start":"2026-11-12T19:00","end":"2026-11-12T21:00","time_zone":"UTC",
		"add_attendees":["Dave@example.com","bob@example.com"],"remove_attendees":["carol@example.com"]}`, id))
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	id := a.lunch()
	var got event
	require.NoError(t, a.Call(update, dinner(id), &got))
	require.Equal(t, "all", a.Last(http.MethodPatch).URL.Query().Get("sendUpdates"))
	require.NotEmpty(t, a.Last(http.MethodPatch).Header.Get("If-Match"))
	require.Equal(t, id, got.ID)
	require.Equal(t, "Dinner", got.Title)
	require.Equal(t, "2026-11-12T19:00:00", got.Start)
	require.Len(t, got.Attendees, 2)
	require.Equal(t, "bob@example.com", got.Attendees[0].Email)
	require.Equal(t, "dave@example.com", got.Attendees[1].Email)

	require.NoError(t, a.Call(update, googletest.NewAttempt(fmt.Sprintf(`{"event_id":%q,"start":"2026-11-12","end":"2026-11-13"}`, id)), &got))
	require.Equal(t, []string{"2026-11-12", "2026-11-13", "Dinner"}, []string{got.Start, got.End, got.Title}, "what is not given stays")
	require.Len(t, a.events(), 1)

	for arguments, reason := range map[string]string{
		`{"event_id":"` + id + `"}`:                          "nothing is given that could be changed",
		`{"event_id":"` + id + `","start":"2026-11-12"}`:     `end: "" is neither a time of RFC 3339 nor a date`,
		`{"event_id":"` + id + `","add_attendees":["x"]}`:    `add_attendees: "x" is not a mail address`,
		`{"event_id":"nosuchevent","title":"x"}`:             "there is no event with that id in this calendar",
		`{"event_id":"` + id + `","remove_attendees":["x"]}`: `remove_attendees: "x" is not a mail address`,
	} {
		e := googletest.Failure(t, a.Call(update, googletest.NewAttempt(arguments), &event{}))
		require.True(t, e.Answered, arguments)
		require.Equal(t, reason, e.Reason)
	}
}

// Guests are told once: a change whose answer is lost is found, and one that was not made is made again.
func TestEventIsChangedOnce(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		fault   google.Fault
		ran     bool
		outcome automation.Outcome
	}{
		{"it was not changed", google.Fault{Lost: true}, true, automation.OutcomeFailed},
		{"it was changed, the answer is lost", google.Fault{Cut: true}, true, automation.OutcomeDone},
		{"Google failed", google.Fault{Status: 500}, true, automation.OutcomeFailed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t)
			call := dinner(a.lunch())
			require.Equal(t, automation.OutcomeFailed, a.Probe(update, call))
			a.Inject(google.EventPatch, 1, tt.fault)
			require.Equal(t, tt.ran, googletest.Failure(t, a.Call(update, call, &event{})).Ran)
			call.Ages()
			require.Equal(t, tt.outcome, a.Probe(update, call))
			before := a.Count(google.EventPatch)
			again := call.Again()
			require.NoError(t, a.Call(update, again, &event{}))
			if tt.outcome == automation.OutcomeDone {
				require.Equal(t, before, a.Count(google.EventPatch), "it is not changed a second time")
			}
			require.Equal(t, automation.OutcomeDone, a.Probe(update, again))
			require.Equal(t, "Dinner", a.events()[0].Title)
		})
	}
}

// The probe does not say of a change that is under way that nothing was done.
func TestProbeAwaitsTheChangeThatIsUnderWay(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	arrived, release := make(chan struct{}, 1), make(chan struct{})
	call, tool := dinner(a.lunch()), a.Tool(update)
	a.Inject(google.EventPatch, 1, google.Fault{Arrived: arrived, Before: release})
	done, asked := make(chan error, 1), make(chan automation.Outcome, 1)
	go func() {
		_, err := tool.Call(t.Context(), a.Session.Session, call.Call())
		done <- err
	}()
	<-arrived
	before := a.Count(google.EventGet)
	go func() { asked <- a.Probe(update, call) }()
	require.Eventually(t, func() bool { return a.Count(google.EventGet) > before+1 }, 10*time.Second, 20*time.Millisecond)
	close(release)
	require.NoError(t, <-done)
	require.Equal(t, automation.OutcomeDone, <-asked)
}

// A request that arrives after another attempt has made the change finds another version: nobody is told twice.
func TestChangeThatArrivesLateIsRefused(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	arrived, release := make(chan struct{}, 1), make(chan struct{})
	call, tool := dinner(a.lunch()), a.Tool(update)
	a.Inject(google.EventPatch, 1, google.Fault{Arrived: arrived, Before: release})
	done := make(chan error, 1)
	go func() {
		_, err := tool.Call(t.Context(), a.Session.Session, call.Call())
		done <- err
	}()
	<-arrived
	call.Ages()
	require.Equal(t, automation.OutcomeFailed, a.Probe(update, call))
	second := call.Again()
	require.NoError(t, a.Call(update, second, &event{}))
	close(release)
	require.Error(t, <-done)
	require.Equal(t, automation.OutcomeDone, a.Probe(update, second))
}

// The other way round: the late request comes first, and the second attempt is the one that is refused.
func TestAttemptThatIsOvertakenAsks(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	call := dinner(a.lunch())
	a.Inject(google.EventPatch, 1, google.Fault{Lost: true})
	require.Error(t, a.Call(update, call, &event{}))
	a.Inject(google.EventPatch, 1, google.Fault{Status: http.StatusPreconditionFailed, Reason: "conditionNotMet"})
	e := googletest.Failure(t, a.Call(update, call.Again(), &event{}))
	require.True(t, e.Ran && !e.Answered, "the earlier attempt may have come through: the probe finds out")
}

func TestChangeBySomebodyElse(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	id := a.lunch()
	a.Inject(google.EventPatch, 1, google.Fault{Status: http.StatusPreconditionFailed, Reason: "conditionNotMet"})
	call := dinner(id)
	e := googletest.Failure(t, a.Call(update, call, &event{}))
	require.True(t, e.Answered && !e.Ran)

	a.Inject(google.EventPatch, 1, google.Fault{Lost: true})
	call = dinner(id)
	require.Error(t, a.Call(update, call, &event{}))
	require.NoError(t, a.Call(update, googletest.NewAttempt(fmt.Sprintf(`{"event_id":%q,"title":"Breakfast"}`, id)), &event{}))
	require.Equal(t, automation.OutcomeUnknown, a.Probe(update, call), "changed, but not as we wished: we do not guess")
}

func TestStaleAttemptChangesNothing(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	lost := errors.New("another attempt has this call")
	call := dinner(a.lunch())
	call.Note = func(context.Context, string) error { return lost }
	require.ErrorIs(t, a.Call(update, call, &event{}), lost)
	require.Zero(t, a.Count(google.EventPatch))
}

func TestDelete(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	id := a.lunch()
	a.Inject(google.EventDelete, 1, google.Fault{Cut: true})
	call := googletest.NewAttempt(fmt.Sprintf(`{"event_id":%q}`, id))
	require.True(t, googletest.Failure(t, a.Call("CALENDAR_DELETE_EVENT", call, &event{})).Ran)
	var got event
	require.NoError(t, a.Call("CALENDAR_DELETE_EVENT", call.Again(), &got), "gone is done")
	require.Equal(t, event{ID: id, Status: "deleted"}, got)
	require.Equal(t, "all", a.Last(http.MethodDelete).URL.Query().Get("sendUpdates"))
	require.Empty(t, a.events())

	e := googletest.Failure(t, a.Call("CALENDAR_DELETE_EVENT", googletest.NewAttempt(`{"event_id":"nosuchevent"}`), &got))
	require.True(t, e.Answered)
	require.Equal(t, "there is no event with that id in this calendar", e.Reason)
	e = googletest.Failure(t, a.Call(update, dinner(id), &got))
	require.Equal(t, "there is no event with that id in this calendar", e.Reason, "what is deleted cannot be changed")
}
