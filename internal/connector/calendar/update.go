package calendar

import (
	"context"
	"fmt"

	"github.com/google/jsonschema-go/jsonschema"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/connector/google"
)

type updateInput struct {
	EventID     string   `json:"event_id" jsonschema:"id of an event, from CALENDAR_LIST_EVENTS"`
	CalendarID  string   `json:"calendar_id,omitempty" jsonschema:"id of its calendar; the account's own if not given"`
	Title       string   `json:"title,omitempty" jsonschema:"one line"`
	Start       string   `json:"start,omitempty" jsonschema:"when it begins, together with end: RFC 3339 with an offset, a time such as 2026-11-22T10:00 of time_zone, or a date for whole days"`
	End         string   `json:"end,omitempty" jsonschema:"when it ends, in the same form; of whole days, the last one"`
	TimeZone    string   `json:"time_zone,omitempty" jsonschema:"IANA name, such as Europe/Berlin, needed for times without an offset"`
	Description string   `json:"description,omitempty" jsonschema:"plain text"`
	Location    string   `json:"location,omitempty" jsonschema:"where it is"`
	Add         []string `json:"add_attendees,omitempty" jsonschema:"mail addresses of people to invite"`
	Remove      []string `json:"remove_attendees,omitempty" jsonschema:"mail addresses of people who no longer take part"`
}

func updateTool() connector.Tool {
	return connector.Typed[updateInput, event]{
		Tool: connector.Tool{
			Name: "CALENDAR_UPDATE_EVENT", Title: "Change an event", Class: automation.Effect, Untrusted: true, Private: true,
			Description: "Changes what is given of an event and leaves the rest. Everybody who takes part is told by mail.",
			Addressees:  []string{"add_attendees", "remove_attendees"}, Scopes: canWrite,
		},
		Bounds: func(p map[string]*jsonschema.Schema) {
			boundEvent(p)
			p["add_attendees"].MaxItems, p["remove_attendees"].MaxItems = jsonschema.Ptr(mostGuests), jsonschema.Ptr(mostGuests)
		},
		Call: update, Probe: probeUpdate,
	}.Build()
}

// update changes an event at most once, so that nobody is told twice: the version that it was read in is noted, and the
// change holds for that version alone (If-Match, RFC 9110 §13.1.1). Done, the version is another.
func update(ctx context.Context, s *connector.Session, c connector.Call, in updateInput) (event, error) {
	w, err := wish(in)
	if err != nil {
		return event{}, &connector.Error{Answered: true, Reason: err.Error()}
	}
	api, err := client(ctx, s)
	if err != nil {
		return event{}, err
	}
	calendar := orPrimary(in.CalendarID)
	there, err := w.look(ctx, api, calendar, in.EventID)
	switch {
	case google.IsGone(err) || err == nil && there.Status == "cancelled":
		return event{}, noEvent(err)
	case err != nil:
		return event{}, google.ReadFailure(s, service, canWrite, err)
	}
	if c.Receipt != "" && google.ReceiptOf(c).Mark != there.Etag && w.isMet(there) { // by an earlier attempt
		return eventOf(there), nil
	}
	sending, cancel, err := google.Note(ctx, c, there.Etag)
	if err != nil {
		return event{}, &connector.Error{Reason: "the event's version could not be noted: it was not changed", Err: err}
	}
	defer cancel()
	call := api.Events.Patch(calendar, in.EventID, w.patch(there)).Context(sending).SendUpdates(tell).Fields(ask("", ""))
	call.Header().Set("If-Match", there.Etag)
	out, err := call.Do()
	switch {
	case google.IsChanged(err) && c.Receipt != "": // by a request of an earlier attempt that came late, or by somebody else: the probe finds out
		return event{}, &connector.Error{Ran: true, Reason: "the event was changed in this moment", Err: err}
	case google.IsChanged(err):
		return event{}, &connector.Error{Answered: true, Reason: "somebody else has changed the event in this moment: it was left as it is", Err: err}
	case google.IsGone(err):
		return event{}, noEvent(err)
	case err != nil:
		return event{}, google.Failure(s, service, canWrite, err)
	}
	return eventOf(out), nil
}

// probeUpdate compares the event with what was wished. One that is of the version which was noted when no request can be
// under way any more was not changed. Changed, but not as it was wished, is the work of somebody else before us, or
// after us: nobody can say.
func probeUpdate(ctx context.Context, s *connector.Session, c connector.Call, in updateInput) (automation.Outcome, event, error) {
	if c.Receipt == "" {
		return automation.OutcomeFailed, event{}, nil
	}
	w, err := wish(in)
	if err != nil {
		return automation.OutcomeFailed, event{}, nil //nolint:nilerr // with such arguments nothing was sent
	}
	api, err := client(ctx, s)
	if err != nil {
		return automation.OutcomeUnknown, event{}, err
	}
	noted := google.ReceiptOf(c)
	return google.Look(ctx, noted, func(ctx context.Context) (automation.Outcome, event, error) {
		there, err := w.look(ctx, api, orPrimary(in.CalendarID), in.EventID)
		switch {
		case google.IsGone(err):
			return automation.OutcomeUnknown, event{}, nil
		case err != nil:
			return automation.OutcomeUnknown, event{}, fmt.Errorf("look at the event: %w", err)
		case there.Etag == noted.Mark:
			return automation.OutcomeFailed, event{}, nil
		case w.isMet(there):
			return automation.OutcomeDone, eventOf(there), nil
		}
		return automation.OutcomeUnknown, event{}, nil
	})
}
