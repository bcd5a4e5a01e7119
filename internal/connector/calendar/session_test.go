package calendar_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	calendarapi "google.golang.org/api/calendar/v3"

	"steward/internal/connector/calendar"
	"steward/internal/connector/google/googletest"
)

type event struct {
	ID, Title, Start, End, Location, Description, Status, Link string
	Attendees                                                  []struct{ Email, Response string }
}

type page struct {
	Events        []event
	NextPageToken string
}

type account struct {
	*googletest.Account
	t *testing.T
}

func newAccount(t *testing.T) account {
	t.Helper()
	return account{googletest.NewAccount(t, calendar.New(), calendarapi.CalendarEventsScope, calendarapi.CalendarCalendarlistReadonlyScope, calendarapi.CalendarFreebusyScope), t}
}

// make puts an event into the calendar and returns its id.
func (a account) make(arguments string) string {
	a.t.Helper()
	var made event
	require.NoError(a.t, a.Call("CALENDAR_CREATE_EVENT", googletest.NewAttempt(arguments), &made))
	return made.ID
}

func (a account) events() []event {
	a.t.Helper()
	var all page
	require.NoError(a.t, a.Call("CALENDAR_LIST_EVENTS", googletest.NewAttempt(`{"from":"2000-01-01","max_results":100}`), &all))
	return all.Events
}

func (a account) titles(arguments string) (out []string) {
	a.t.Helper()
	var all page
	require.NoError(a.t, a.Call("CALENDAR_LIST_EVENTS", googletest.NewAttempt(arguments), &all))
	for _, e := range all.Events {
		out = append(out, e.Title)
	}
	return out
}

// lunch is an event of an hour on that day of November 2026.
func lunch(day int) string {
	return fmt.Sprintf(`{"title":"Lunch %[1]d","start":"2026-11-%02[1]dT12:00:00Z","end":"2026-11-%02[1]dT13:00:00Z"}`, day)
}
