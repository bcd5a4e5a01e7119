package calendar_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/dev/counterpart/google"
	"steward/internal/connector/google/googletest"
	"steward/internal/oauth"
)

func TestListEvents(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	for day := 10; day < 14; day++ {
		a.make(lunch(day))
	}
	require.Equal(t, []string{"Lunch 11", "Lunch 12"}, a.titles(`{"from":"2026-11-10T13:00:00Z","until":"2026-11-13"}`))
	require.Equal(t, []string{"Lunch 13"}, a.titles(`{"from":"2026-11-01","query":"lunch 13"}`))
	require.Equal(t, "true", a.Last("GET").URL.Query().Get("singleEvents"), "one that repeats is listed once for each time")
	var first, second page
	require.NoError(t, a.Call("CALENDAR_LIST_EVENTS", googletest.NewAttempt(`{"from":"2026-11-01","max_results":3}`), &first))
	require.Len(t, first.Events, 3)
	require.NoError(t, a.Call("CALENDAR_LIST_EVENTS", googletest.NewAttempt(fmt.Sprintf(`{"from":"2026-11-01","page_token":%q}`, first.NextPageToken)), &second))
	require.Len(t, second.Events, 1)
	require.Empty(t, second.NextPageToken)

	for arguments, reason := range map[string]string{
		`{"from":"tomorrow"}`:     `from: "tomorrow" is neither a time of RFC 3339 nor a date`,
		`{"until":"in a week"}`:   `until: "in a week" is neither a time of RFC 3339 nor a date`,
		`{"calendar_id":"other"}`: "there is no calendar with that id",
	} {
		e := googletest.Failure(t, a.Call("CALENDAR_LIST_EVENTS", googletest.NewAttempt(arguments), &page{}))
		require.True(t, e.Answered)
		require.Equal(t, reason, e.Reason)
	}
}

// What is on is what is asked about mostly, and not what was long ago.
func TestEventsBeginNowIfNothingElseIsSaid(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	now := time.Now().UTC()
	for name, begins := range map[string]time.Time{"Past": now.Add(-48 * time.Hour), "Present": now.Add(-time.Hour), "Future": now.Add(48 * time.Hour)} {
		a.make(fmt.Sprintf(`{"title":%q,"start":%q,"end":%q}`, name, begins.Format(time.RFC3339), begins.Add(2*time.Hour).Format(time.RFC3339)))
	}
	require.Equal(t, []string{"Present", "Future"}, a.titles(`{}`))
	require.Equal(t, []string{"Past"}, a.titles(fmt.Sprintf(`{"until":%q}`, now.Add(-24*time.Hour).Format(time.RFC3339))), "no more than was said")
	require.Empty(t, a.Last("GET").URL.Query().Get("timeMin"))

	var first, second page
	require.NoError(t, a.Call("CALENDAR_LIST_EVENTS", googletest.NewAttempt(`{"max_results":1}`), &first))
	since := a.Last("GET").URL.Query().Get("timeMin")
	at, err := time.Parse(time.RFC3339, since)
	require.NoError(t, err)
	require.WithinDuration(t, now, at, time.Minute)
	said, token, _ := strings.Cut(first.NextPageToken, " ")
	require.Equal(t, since, said)
	require.NoError(t, a.Call("CALENDAR_LIST_EVENTS", googletest.NewAttempt(fmt.Sprintf(`{"page_token":%q}`, "2026-01-01T00:00:00Z "+token)), &second))
	require.Equal(t, "2026-01-01T00:00:00Z", a.Last("GET").URL.Query().Get("timeMin"), "of the first page")
	require.Equal(t, token, a.Last("GET").URL.Query().Get("pageToken"))
	require.NoError(t, a.Call("CALENDAR_LIST_EVENTS", googletest.NewAttempt(fmt.Sprintf(`{"page_token":%q}`, first.NextPageToken)), &second))
	require.Len(t, second.Events, 1)
	require.Equal(t, "Future", second.Events[0].Title)
	require.NoError(t, a.Call("CALENDAR_LIST_EVENTS", googletest.NewAttempt(fmt.Sprintf(`{"from":"2020-01-01","page_token":%q}`, first.NextPageToken)), &second))
	require.Equal(t, since, a.Last("GET").URL.Query().Get("timeMin"), "a page is one of the list it belongs to")
}

func TestListCalendars(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	var got struct {
		Calendars []struct {
			ID, Name, TimeZone, Role string
			Primary                  bool
		}
	}
	require.NoError(t, a.Call("CALENDAR_LIST_CALENDARS", googletest.NewAttempt(`{}`), &got))
	require.Len(t, got.Calendars, 1)
	require.Equal(t, google.Alice, got.Calendars[0].Name)
	require.Equal(t, "UTC", got.Calendars[0].TimeZone)
	require.Equal(t, "owner", got.Calendars[0].Role)
	require.True(t, got.Calendars[0].Primary)
}

func TestFreeBusy(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.make(lunch(12))
	a.make(lunch(20))
	var got struct {
		Calendars []struct {
			ID, Error string
			Busy      []struct{ Start, End string }
		}
	}
	require.NoError(t, a.Call("CALENDAR_FREE_BUSY", googletest.NewAttempt(`{"from":"2026-11-11","until":"2026-11-14","calendars":["primary","nobody@example.com"]}`), &got))
	require.Len(t, got.Calendars, 2)
	require.Len(t, got.Calendars[0].Busy, 1)
	require.Equal(t, "2026-11-12T12:00:00Z", got.Calendars[0].Busy[0].Start)
	require.Empty(t, got.Calendars[0].Error)
	require.Equal(t, "notFound", got.Calendars[1].Error, "nothing known is not the same as free")
	require.NoError(t, a.Call("CALENDAR_FREE_BUSY", googletest.NewAttempt(`{"from":"2026-11-13","until":"2026-11-14"}`), &got))
	require.Empty(t, got.Calendars[0].Busy)
	e := googletest.Failure(t, a.Call("CALENDAR_FREE_BUSY", googletest.NewAttempt(`{"from":"","until":"2026-11-14"}`), &got))
	require.Equal(t, "from, until: both are needed", e.Reason)
}

func TestErrorsAskForTheScopeOfTheTool(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.Inject(google.EventInsert, 1, google.Fault{Status: 403, Reason: "insufficientPermissions"})
	e := googletest.Failure(t, a.Call("CALENDAR_CREATE_EVENT", googletest.NewAttempt(lunch(12)), &event{}))
	need := &oauth.ConsentError{}
	require.ErrorAs(t, e, &need)
	require.Equal(t, "https://www.googleapis.com/auth/calendar.events", need.Scopes[0])
	require.Equal(t, int64(3), need.Version)
	require.False(t, e.Ran || e.Answered)
	require.Empty(t, a.events())
}
