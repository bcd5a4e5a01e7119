package calendar

import (
	"time"

	calendarapi "google.golang.org/api/calendar/v3"
	"google.golang.org/api/googleapi"
)

type event struct {
	ID          string  `json:"id" jsonschema:"for event_id"`
	Title       string  `json:"title"`
	Start       string  `json:"start" jsonschema:"RFC 3339; of an event of whole days, its first day"`
	End         string  `json:"end" jsonschema:"RFC 3339; of an event of whole days, its last day"`
	Location    string  `json:"location,omitempty"`
	Description string  `json:"description,omitempty"`
	Organizer   string  `json:"organizer,omitempty" jsonschema:"mail address"`
	Attendees   []guest `json:"attendees,omitempty"`
	Status      string  `json:"status" jsonschema:"confirmed, tentative or cancelled"`
	Link        string  `json:"link,omitempty" jsonschema:"where people open it"`
	Meeting     string  `json:"meeting,omitempty" jsonschema:"address of its video meeting"`
	Series      string  `json:"series,omitempty" jsonschema:"id of the event that it repeats"`
}

type guest struct {
	Email    string `json:"email"`
	Response string `json:"response" jsonschema:"needsAction, declined, tentative or accepted"`
}

// fields are those of which event is made.
const fields = "id,etag,summary,start,end,location,description,organizer/email,attendees(email,responseStatus),status,htmlLink,hangoutLink,recurringEventId"

const (
	mostGuests = 100
	// longestDescription bounds a description in bytes: events are listed many at a time, and strangers write them.
	longestDescription = 4000
)

func eventOf(e *calendarapi.Event) event {
	out := event{
		ID: e.Id, Title: e.Summary, Start: when(e.Start, 0), End: when(e.End, -1), Location: e.Location, Description: e.Description,
		Status: e.Status, Link: e.HtmlLink, Meeting: e.HangoutLink, Series: e.RecurringEventId,
	}
	if r := []rune(e.Description); len(r) > longestDescription {
		out.Description = string(r[:longestDescription]) + "…"
	}
	if e.Organizer != nil {
		out.Organizer = e.Organizer.Email
	}
	for _, a := range e.Attendees[:min(len(e.Attendees), mostGuests)] {
		out.Attendees = append(out.Attendees, guest{Email: a.Email, Response: a.ResponseStatus})
	}
	return out
}

// when is a time, or a day that is moved by some days.
func when(at *calendarapi.EventDateTime, days int) string {
	if at == nil {
		return ""
	}
	if at.DateTime != "" {
		return at.DateTime
	}
	day, err := time.Parse(time.DateOnly, at.Date)
	if err != nil {
		return at.Date
	}
	return day.AddDate(0, 0, days).Format(time.DateOnly)
}

// ask is the part of an answer that is wanted.
func ask(prefix, suffix string) googleapi.Field { return googleapi.Field(prefix + fields + suffix) }
