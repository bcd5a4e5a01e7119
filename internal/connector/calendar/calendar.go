// Package calendar is the connector to a user's Google Calendar: see what is on, and make, change and delete events
// exactly once.
package calendar

import (
	"context"

	calendarapi "google.golang.org/api/calendar/v3"

	"steward/internal/connector"
	"steward/internal/connector/google"
)

const service = "Calendar"

// primary stands for the calendar of the account whose token is sent.
const primary = "primary"

// Scopes of which any one suffices, the least first: it is the one that is asked for.
// https://developers.google.com/workspace/calendar/api/auth
var (
	canList   = []string{calendarapi.CalendarCalendarlistReadonlyScope, calendarapi.CalendarReadonlyScope, calendarapi.CalendarCalendarlistScope, calendarapi.CalendarScope}
	canRead   = []string{calendarapi.CalendarEventsReadonlyScope, calendarapi.CalendarReadonlyScope, calendarapi.CalendarEventsScope, calendarapi.CalendarScope}
	canWrite  = []string{calendarapi.CalendarEventsScope, calendarapi.CalendarScope}
	canSeeWho = []string{calendarapi.CalendarFreebusyScope, calendarapi.CalendarReadonlyScope, calendarapi.CalendarScope}
)

// New makes the connector.
func New() *connector.Connector {
	return &connector.Connector{
		Name: "calendar", Title: "Google Calendar", Description: "See what is on in a Google Calendar, and make, change and delete events.", Provider: google.Provider,
		Tools: []connector.Tool{calendarsTool(), eventsTool(), freeBusyTool(), createTool(), updateTool(), deleteTool()},
	}
}

// client is Google's client for one session.
func client(ctx context.Context, s *connector.Session) (*calendarapi.Service, error) {
	api, err := calendarapi.NewService(ctx, google.Options(s, "calendar/v3/")...)
	if err != nil {
		return nil, &connector.Error{Reason: "Calendar's client could not be set up", Err: err}
	}
	return api, nil
}

// orPrimary is the calendar that is meant.
func orPrimary(id string) string {
	if id == "" {
		return primary
	}
	return id
}

func noEvent(err error) *connector.Error {
	return &connector.Error{Answered: true, Reason: "there is no event with that id in this calendar", Err: err}
}

func noCalendar(err error) *connector.Error {
	return &connector.Error{Answered: true, Reason: "there is no calendar with that id", Err: err}
}
