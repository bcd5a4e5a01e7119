package calendar

import (
	"context"
	"slices"

	"github.com/google/jsonschema-go/jsonschema"
	calendarapi "google.golang.org/api/calendar/v3"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/connector/google"
)

// mostAsked is how many calendars Google answers for at once.
const mostAsked = 50

type freeBusyInput struct {
	From      string   `json:"from" jsonschema:"RFC 3339 or a date, whose day begins in UTC"`
	Until     string   `json:"until" jsonschema:"RFC 3339 or a date, whose day begins in UTC"`
	Calendars []string `json:"calendars,omitempty" jsonschema:"ids of calendars, or mail addresses of people; the account's own if none is given"`
}

type freeBusy struct {
	Calendars []occupied `json:"calendars"`
}

type occupied struct {
	ID    string `json:"id"`
	Busy  []busy `json:"busy" jsonschema:"when it is taken, in order of time"`
	Error string `json:"error,omitempty" jsonschema:"present if nothing is known of this one, such as notFound"`
}

type busy struct {
	Start string `json:"start" jsonschema:"RFC 3339"`
	End   string `json:"end" jsonschema:"RFC 3339"`
}

func freeBusyTool() connector.Tool {
	return connector.Typed[freeBusyInput, freeBusy]{
		Tool: connector.Tool{
			Name: "CALENDAR_FREE_BUSY", Title: "See who is free", Class: automation.Read, Private: true,
			Description: "Tells when calendars are taken in a span of time, without saying by what. The time between is free.",
			Scopes:      canSeeWho,
		},
		Bounds: func(p map[string]*jsonschema.Schema) { p["calendars"].MaxItems = jsonschema.Ptr(mostAsked) },
		Call:   see,
	}.Build()
}

func see(ctx context.Context, s *connector.Session, _ connector.Call, in freeBusyInput) (freeBusy, error) {
	from, until, err := bounds(in.From, in.Until)
	if err != nil {
		return freeBusy{}, err
	}
	if from == "" || until == "" {
		return freeBusy{}, &connector.Error{Answered: true, Reason: "from, until: both are needed"}
	}
	api, err := client(ctx, s)
	if err != nil {
		return freeBusy{}, err
	}
	asked := slices.Clone(in.Calendars)
	if len(asked) == 0 {
		asked = []string{primary}
	}
	items := make([]*calendarapi.FreeBusyRequestItem, len(asked))
	for i, id := range asked {
		items[i] = &calendarapi.FreeBusyRequestItem{Id: id}
	}
	answer, err := api.Freebusy.Query(&calendarapi.FreeBusyRequest{TimeMin: from, TimeMax: until, Items: items}).Context(ctx).Do()
	if err != nil {
		return freeBusy{}, google.ReadFailure(s, service, canSeeWho, err)
	}
	out := freeBusy{Calendars: []occupied{}}
	for _, id := range asked {
		one := occupied{ID: id, Busy: []busy{}}
		switch known, ok := answer.Calendars[id]; {
		case !ok:
			one.Error = "notFound"
		case len(known.Errors) > 0:
			one.Error = known.Errors[0].Reason
		default:
			for _, b := range known.Busy {
				one.Busy = append(one.Busy, busy{Start: b.Start, End: b.End})
			}
		}
		out.Calendars = append(out.Calendars, one)
	}
	return out, nil
}
