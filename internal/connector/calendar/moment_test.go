package calendar

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	calendarapi "google.golang.org/api/calendar/v3"
)

func TestSameTime(t *testing.T) {
	t.Parallel()
	shown := &calendarapi.EventDateTime{DateTime: "2026-11-22T10:00:00+01:00"}
	for _, tt := range []struct {
		want *calendarapi.EventDateTime
		is   *calendarapi.EventDateTime
		same bool
	}{
		{&calendarapi.EventDateTime{DateTime: "2026-11-22T09:00:00Z"}, shown, true},
		{&calendarapi.EventDateTime{DateTime: "2026-11-22T10:00:00Z"}, shown, false},
		{&calendarapi.EventDateTime{DateTime: "2026-11-22T10:00:00", TimeZone: "Europe/Berlin"}, shown, true},
		{&calendarapi.EventDateTime{DateTime: "2026-11-22T09:00:00", TimeZone: "Europe/Berlin"}, shown, false},
		{&calendarapi.EventDateTime{Date: "2026-11-22"}, shown, false},
		{&calendarapi.EventDateTime{Date: "2026-11-22"}, &calendarapi.EventDateTime{Date: "2026-11-22"}, true},
		{&calendarapi.EventDateTime{Date: "2026-11-22"}, &calendarapi.EventDateTime{Date: "2026-11-23"}, false},
		{&calendarapi.EventDateTime{Date: "2026-11-22"}, nil, false},
	} {
		require.Equal(t, tt.same, sameTime(tt.want, tt.is), "%+v %+v", tt.want, tt.is)
	}
}

func TestInstant(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "", "2026-11-22": "2026-11-22T00:00:00Z", "2026-11-22T10:00:00": "2026-11-22T10:00:00Z", "2026-11-22T10:00:00+02:00": "2026-11-22T10:00:00+02:00",
	} {
		got, err := instant("from", text)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

// FuzzSpan reads what a model may write: what is taken has a form that Google takes.
func FuzzSpan(f *testing.F) {
	f.Add("2026-11-22", "2026-11-23", "")
	f.Add("2026-11-22T10:00", "2026-11-22T11:00:00", "Europe/Berlin")
	f.Add("2026-11-22T10:00:00Z", "9999-12-31", "UTC")
	f.Fuzz(func(t *testing.T, start, end, zone string) {
		from, until, err := span(spanInput{start, end, zone})
		if err != nil {
			return
		}
		for _, at := range []*calendarapi.EventDateTime{from, until} {
			if at.Date != "" {
				require.Empty(t, at.DateTime)
				_, err := time.Parse(time.DateOnly, at.Date)
				require.True(t, err == nil || len(at.Date) > len(time.DateOnly), "the day after 9999-12-31")
				continue
			}
			_, exact := time.Parse(time.RFC3339, at.DateTime)
			_, inZone := time.Parse(local, at.DateTime)
			require.True(t, exact == nil || inZone == nil && at.TimeZone != "")
		}
	})
}
