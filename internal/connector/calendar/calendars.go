package calendar

import (
	"context"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/connector/google"
)

type calendars struct {
	Calendars []about `json:"calendars"`
}

type about struct {
	ID       string `json:"id" jsonschema:"for calendar_id"`
	Name     string `json:"name"`
	TimeZone string `json:"timeZone" jsonschema:"IANA name, such as Europe/Berlin"`
	Role     string `json:"role" jsonschema:"what the account may do there: freeBusyReader, reader, writer or owner"`
	Primary  bool   `json:"primary,omitempty" jsonschema:"whether it is the account's own calendar"`
}

// mostCalendars is how many are listed; Google's most of one page.
const mostCalendars = 250

func calendarsTool() connector.Tool {
	return connector.Typed[struct{}, calendars]{
		Tool: connector.Tool{
			Name: "CALENDAR_LIST_CALENDARS", Title: "List calendars", Class: automation.Read, Untrusted: true, Private: true,
			Description: "Lists the calendars of the account, those shared with it included, and their time zones.",
			Scopes:      canList,
		},
		Call: func(ctx context.Context, s *connector.Session, _ connector.Call, _ struct{}) (calendars, error) {
			api, err := client(ctx, s)
			if err != nil {
				return calendars{}, err
			}
			list, err := api.CalendarList.List().Context(ctx).MaxResults(mostCalendars).
				Fields("items(id,summary,summaryOverride,timeZone,accessRole,primary)").Do()
			if err != nil {
				return calendars{}, google.ReadFailure(s, service, canList, err)
			}
			out := calendars{Calendars: []about{}}
			for _, c := range list.Items {
				one := about{ID: c.Id, Name: c.Summary, TimeZone: c.TimeZone, Role: c.AccessRole, Primary: c.Primary}
				if c.SummaryOverride != "" {
					one.Name = c.SummaryOverride
				}
				out.Calendars = append(out.Calendars, one)
			}
			return out, nil
		},
	}.Build()
}
