package calendar_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	calendarapi "google.golang.org/api/calendar/v3"

	"steward/internal/connector/calendar"
	"steward/internal/connector/connectortest"
)

func TestConforms(t *testing.T) {
	t.Parallel()
	connectortest.Conform(t, calendar.New(),
		calendarapi.CalendarScope, calendarapi.CalendarReadonlyScope, calendarapi.CalendarCalendarlistScope, calendarapi.CalendarCalendarlistReadonlyScope,
		calendarapi.CalendarEventsScope, calendarapi.CalendarEventsReadonlyScope, calendarapi.CalendarFreebusyScope)
}

// What is asked for when somebody connects: to see calendars, events and who is free, and to write events.
func TestLeastScopes(t *testing.T) {
	t.Parallel()
	var asked []string
	for _, tool := range calendar.New().Tools {
		asked = append(asked, tool.Scopes[0])
	}
	require.Subset(t, []string{
		calendarapi.CalendarCalendarlistReadonlyScope, calendarapi.CalendarEventsReadonlyScope, calendarapi.CalendarFreebusyScope, calendarapi.CalendarEventsScope,
	}, asked)
}
