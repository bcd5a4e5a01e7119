package calendar

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	calendarapi "google.golang.org/api/calendar/v3"
)

// wished is what of an event shall be otherwise.
type wished struct {
	event       *calendarapi.Event
	zone        string // of its times
	add, remove []string
}

// look reads the event as it is now: whole, since a list of guests is sent back whole, and in the zone of the wish, so
// that times can be compared.
func (w wished) look(ctx context.Context, api *calendarapi.Service, calendar, id string) (*calendarapi.Event, error) {
	call := api.Events.Get(calendar, id).Context(ctx)
	if w.zone != "" {
		call.TimeZone(w.zone)
	}
	return call.Do()
}

// wish reads the arguments. The error says what the model should do better.
func wish(in updateInput) (w wished, err error) {
	w.zone = in.TimeZone
	w.event = &calendarapi.Event{Summary: in.Title, Description: in.Description, Location: in.Location}
	if in.Start != "" || in.End != "" {
		if w.event.Start, w.event.End, err = span(spanInput{in.Start, in.End, in.TimeZone}); err != nil {
			return w, err
		}
	}
	if w.add, err = addresses("add_attendees", in.Add); err != nil {
		return w, err
	}
	if w.remove, err = addresses("remove_attendees", in.Remove); err != nil {
		return w, err
	}
	if in.Title+in.Description+in.Location+in.Start == "" && len(w.add)+len(w.remove) == 0 {
		return w, errors.New("nothing is given that could be changed")
	}
	return w, nil
}

// patch is the wish for an event as it is now: of a list, Google takes the whole.
func (w wished) patch(there *calendarapi.Event) *calendarapi.Event {
	out := *w.event
	if len(w.add)+len(w.remove) == 0 {
		return &out
	}
	out.Attendees = slices.DeleteFunc(slices.Clone(there.Attendees), func(a *calendarapi.EventAttendee) bool {
		return slices.Contains(w.remove, strings.ToLower(a.Email))
	})
	for _, address := range w.add {
		if !invited(out.Attendees, address) {
			out.Attendees = append(out.Attendees, guests([]string{address})...)
		}
	}
	out.ForceSendFields = []string{"Attendees"} // also when nobody is left
	return &out
}

// isMet says that an event is already as it is wished.
func (w wished) isMet(there *calendarapi.Event) bool {
	same := func(want, is string) bool { return want == "" || want == is }
	if !same(w.event.Summary, there.Summary) || !same(w.event.Description, there.Description) || !same(w.event.Location, there.Location) {
		return false
	}
	if w.event.Start != nil && (!sameTime(w.event.Start, there.Start) || !sameTime(w.event.End, there.End)) {
		return false
	}
	missing := func(address string) bool { return !invited(there.Attendees, address) }
	return !slices.ContainsFunc(w.add, missing) && !slices.ContainsFunc(w.remove, func(a string) bool { return !missing(a) })
}

// sameTime compares a time that was wished with one that Google shows, with an offset. One that was wished in a zone is
// compared by what a clock there shows.
func sameTime(want, is *calendarapi.EventDateTime) bool {
	if is == nil || want.Date != is.Date {
		return false
	}
	if want.Date != "" {
		return true
	}
	at, err := time.Parse(time.RFC3339, is.DateTime)
	if err != nil {
		return want.DateTime == is.DateTime
	}
	if wanted, err := time.Parse(time.RFC3339, want.DateTime); err == nil {
		return wanted.Equal(at)
	}
	return at.Format(local) == want.DateTime
}
