package calendar

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
	calendarapi "google.golang.org/api/calendar/v3"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/connector/google"
)

type spanInput struct {
	Start    string `json:"start" jsonschema:"when it begins: RFC 3339 with an offset, a time such as 2026-11-22T10:00 of time_zone, or a date for whole days"`
	End      string `json:"end" jsonschema:"when it ends, in the same form; of whole days, the last one"`
	TimeZone string `json:"time_zone,omitempty" jsonschema:"IANA name, such as Europe/Berlin, needed for times without an offset"`
}

type createInput struct {
	Title string `json:"title" jsonschema:"one line"`
	spanInput
	Description string   `json:"description,omitempty" jsonschema:"plain text"`
	Location    string   `json:"location,omitempty" jsonschema:"where it is"`
	Recurrence  []string `json:"recurrence,omitempty" jsonschema:"how it repeats, as RRULE lines of RFC 5545 such as RRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=10, with time_zone; once if not given"`
	Attendees   []string `json:"attendees,omitempty" jsonschema:"mail addresses of people to invite: each gets an invitation"`
	CalendarID  string   `json:"calendar_id,omitempty" jsonschema:"id of a calendar; the account's own if not given"`
}

func createTool() connector.Tool {
	return connector.Typed[createInput, event]{
		Tool: connector.Tool{
			Name: "CALENDAR_CREATE_EVENT", Title: "Create an event", Class: automation.Effect, Private: true,
			Description: "Puts an event into a calendar. Attendees, if there are any, are invited by mail at once.",
			Addressees:  []string{"attendees"}, Scopes: canWrite,
		},
		Bounds: func(p map[string]*jsonschema.Schema) {
			boundEvent(p)
			p["attendees"].MaxItems, p["recurrence"].MaxItems = jsonschema.Ptr(mostGuests), jsonschema.Ptr(mostRules)
		},
		Call: create, Probe: probeCreate,
	}.Build()
}

func boundEvent(p map[string]*jsonschema.Schema) {
	p["title"].MaxLength, p["description"].MaxLength, p["location"].MaxLength = jsonschema.Ptr(500), jsonschema.Ptr(8000), jsonschema.Ptr(500)
}

// idOf is the event's id that a call stands for: the same for every attempt, in the letters that Google takes
// (base32hex, RFC 4648 §7, in lower case). A call's id is random, so that nobody else comes upon it.
func idOf(call string) string {
	sum := sha256.Sum256([]byte(call))
	return strings.ToLower(base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:]))
}

// create makes an event exactly once: under an id of our own, of which a calendar has one only once. Google says that
// it may fail to notice a second one that comes at nearly the same time. An attempt is noted therefore, and who finds
// the note asks before making the event again.
func create(ctx context.Context, s *connector.Session, c connector.Call, in createInput) (event, error) {
	e, err := written(c, in)
	if err != nil {
		return event{}, &connector.Error{Answered: true, Reason: err.Error()}
	}
	api, err := client(ctx, s)
	if err != nil {
		return event{}, err
	}
	calendar := orPrimary(in.CalendarID)
	if c.Receipt != "" {
		there, err := api.Events.Get(calendar, e.Id).Context(ctx).Fields(ask("", "")).Do()
		if err == nil {
			return made(there, e), nil
		}
		if !google.IsGone(err) {
			return event{}, google.ReadFailure(s, service, canWrite, err)
		}
	}
	sending, cancel, err := google.Note(ctx, c, e.Id)
	if err != nil {
		return event{}, &connector.Error{Reason: "the event could not be noted: it was not made", Err: err}
	}
	defer cancel()
	out, err := api.Events.Insert(calendar, e).Context(sending).SendUpdates(tell).Fields(ask("", "")).Do()
	switch {
	case google.IsTaken(err):
		return standing(ctx, s, api, calendar, e)
	case google.IsGone(err):
		return event{}, noCalendar(err)
	case err != nil:
		return event{}, google.Failure(s, service, canWrite, err)
	}
	return eventOf(out), nil
}

// written is the event that the arguments ask for. The error says what the model should do better.
func written(c connector.Call, in createInput) (*calendarapi.Event, error) {
	if strings.TrimSpace(in.Title) == "" {
		return nil, errors.New("title: it is empty")
	}
	start, end, err := span(in.spanInput)
	if err != nil {
		return nil, err
	}
	people, err := addresses("attendees", in.Attendees)
	if err != nil {
		return nil, err
	}
	if err := repeats(in.Recurrence, start); err != nil {
		return nil, err
	}
	start.NullFields, end.NullFields = nil, nil // there is nothing to take away
	return &calendarapi.Event{
		Id: idOf(c.ID), Summary: in.Title, Start: start, End: end, Description: in.Description, Location: in.Location, Attendees: guests(people),
		Recurrence: in.Recurrence,
	}, nil
}

// standing is the event that an earlier attempt has made: nobody else knows its id.
func standing(ctx context.Context, s *connector.Session, api *calendarapi.Service, calendar string, e *calendarapi.Event) (event, error) {
	there, err := api.Events.Get(calendar, e.Id).Context(ctx).Fields(ask("", "")).Do()
	if google.IsGone(err) {
		return eventOf(e), nil
	}
	if err != nil {
		failure := google.Failure(s, service, canWrite, err)
		failure.Ran, failure.Answered = true, false
		return event{}, failure
	}
	return made(there, e), nil
}

// made is an event that stands. Of one that a person has deleted since, Google may tell no more than its id.
func made(there, e *calendarapi.Event) event {
	if there.Start == nil {
		e.Status = there.Status
		return eventOf(e)
	}
	return eventOf(there)
}

// probeCreate asks for the event under its id, until a request that is still under way would have made it. Sent again by
// the same call it makes the same event, but a caller who is told that it failed may make another call of it.
func probeCreate(ctx context.Context, s *connector.Session, c connector.Call, in createInput) (automation.Outcome, event, error) {
	if c.Receipt == "" {
		return automation.OutcomeFailed, event{}, nil
	}
	e, err := written(c, in)
	if err != nil {
		return automation.OutcomeFailed, event{}, nil //nolint:nilerr // with such arguments nothing was sent
	}
	api, err := client(ctx, s)
	if err != nil {
		return automation.OutcomeUnknown, event{}, err
	}
	return google.Look(ctx, google.ReceiptOf(c), func(ctx context.Context) (automation.Outcome, event, error) {
		there, err := api.Events.Get(orPrimary(in.CalendarID), e.Id).Context(ctx).Fields(ask("", "")).Do()
		if google.IsGone(err) {
			return automation.OutcomeFailed, event{}, nil
		}
		if err != nil {
			return automation.OutcomeUnknown, event{}, fmt.Errorf("look at the event: %w", err)
		}
		return automation.OutcomeDone, made(there, e), nil
	})
}
