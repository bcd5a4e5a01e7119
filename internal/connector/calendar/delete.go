package calendar

import (
	"context"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/connector/google"
)

type deleteInput struct {
	EventID    string `json:"event_id" jsonschema:"id of an event, from CALENDAR_LIST_EVENTS"`
	CalendarID string `json:"calendar_id,omitempty" jsonschema:"id of its calendar; the account's own if not given"`
}

type deleted struct {
	ID     string `json:"id"`
	Status string `json:"status" jsonschema:"deleted"`
}

func deleteTool() connector.Tool {
	return connector.Typed[deleteInput, deleted]{
		Tool: connector.Tool{
			Name: "CALENDAR_DELETE_EVENT", Title: "Delete an event", Class: automation.Idempotent,
			Description: "Deletes an event from a calendar. Everybody who takes part is told by mail that it is cancelled.",
			Scopes:      canWrite,
		},
		Call: func(ctx context.Context, s *connector.Session, _ connector.Call, in deleteInput) (deleted, error) {
			api, err := client(ctx, s)
			if err != nil {
				return deleted{}, err
			}
			err = api.Events.Delete(orPrimary(in.CalendarID), in.EventID).Context(ctx).SendUpdates(tell).Do()
			switch {
			case err == nil, google.IsDeleted(err): // by an earlier attempt, or by a person: nobody is told twice
				return deleted{ID: in.EventID, Status: "deleted"}, nil
			case google.IsGone(err):
				return deleted{}, noEvent(err)
			}
			return deleted{}, google.Failure(s, service, canWrite, err)
		},
	}.Build()
}
