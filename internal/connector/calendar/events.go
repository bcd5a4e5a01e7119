package calendar

import (
	"context"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/connector/google"
)

const (
	usualEvents = 20
	mostEvents  = 100
)

type eventsInput struct {
	CalendarID string `json:"calendar_id,omitempty" jsonschema:"id of a calendar, from CALENDAR_LIST_CALENDARS; the account's own if not given"`
	From       string `json:"from,omitempty" jsonschema:"only events that end after this, RFC 3339 or a date, whose day begins in UTC; now if neither from nor until is given"`
	Until      string `json:"until,omitempty" jsonschema:"only events that begin before this, RFC 3339 or a date, whose day begins in UTC"`
	Query      string `json:"query,omitempty" jsonschema:"words that stand in the title, description, location or attendees"`
	MaxResults int    `json:"max_results,omitempty" jsonschema:"how many events at most, 20 if not given"`
	PageToken  string `json:"page_token,omitempty" jsonschema:"nextPageToken of the answer before, for what follows it"`
}

type found struct {
	Events        []event `json:"events" jsonschema:"the earliest first; one that repeats stands there once for each time"`
	TimeZone      string  `json:"timeZone,omitempty" jsonschema:"of the calendar"`
	NextPageToken string  `json:"nextPageToken,omitempty" jsonschema:"present if there are more"`
}

func eventsTool() connector.Tool {
	return connector.Typed[eventsInput, found]{
		Tool: connector.Tool{
			Name: "CALENDAR_LIST_EVENTS", Title: "List or search events", Class: automation.Read, Untrusted: true, Private: true,
			Description: "Lists the events of one calendar in order of time, of a span of time and with the words that are given.",
			Scopes:      canRead,
		},
		Bounds: func(p map[string]*jsonschema.Schema) {
			p["max_results"].Minimum, p["max_results"].Maximum = jsonschema.Ptr(1.0), jsonschema.Ptr(float64(mostEvents))
		},
		Call: list,
	}.Build()
}

func list(ctx context.Context, s *connector.Session, _ connector.Call, in eventsInput) (found, error) {
	from, until, err := bounds(in.From, in.Until)
	if err != nil {
		return found{}, err
	}
	since := begunOf(in.PageToken)
	if since.at == "" && from == "" && until == "" { // Google would begin with the oldest events there are
		since.at = time.Now().UTC().Format(time.RFC3339)
	}
	if since.at != "" {
		from = since.at
	}
	api, err := client(ctx, s)
	if err != nil {
		return found{}, err
	}
	most := in.MaxResults
	if most <= 0 || most > mostEvents {
		most = usualEvents
	}
	call := api.Events.List(orPrimary(in.CalendarID)).Context(ctx).SingleEvents(true).OrderBy("startTime").MaxResults(int64(most)).
		PageToken(since.page).Fields("timeZone", "nextPageToken", ask("items(", ")"))
	if from != "" {
		call.TimeMin(from)
	}
	if until != "" {
		call.TimeMax(until)
	}
	if in.Query != "" {
		call.Q(in.Query)
	}
	page, err := call.Do()
	if google.IsGone(err) {
		return found{}, noCalendar(err)
	}
	if err != nil {
		return found{}, google.ReadFailure(s, service, canRead, err)
	}
	out := found{Events: []event{}, TimeZone: page.TimeZone, NextPageToken: since.next(page.NextPageToken)}
	for _, e := range page.Items {
		out.Events = append(out.Events, eventOf(e))
	}
	return out, nil
}

func bounds(from, until string) (string, string, error) {
	from, err := instant("from", from)
	if err == nil {
		until, err = instant("until", until)
	}
	if err != nil {
		return "", "", &connector.Error{Answered: true, Reason: err.Error()}
	}
	return from, until, nil
}
