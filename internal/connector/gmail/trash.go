package gmail

import (
	"context"

	"steward/internal/automation"
	"steward/internal/connector"
)

func trashTool() connector.Tool {
	return connector.Typed[getInput, sorted]{
		Tool: connector.Tool{
			Name: "GMAIL_TRASH_EMAIL", Title: "Move a mail to the trash", Class: automation.Idempotent, Private: true,
			Description: "Moves a mail to the trash. Its owner can take it back for 30 days, then Gmail deletes it.",
			Scopes:      canSort,
			StepUp:      true,
		},
		Call: func(ctx context.Context, s *connector.Session, _ connector.Call, in getInput) (sorted, error) {
			api, err := users(ctx, s)
			if err != nil {
				return sorted{}, err
			}
			m, err := api.Messages.Trash(me, in.MessageID).Context(ctx).Fields("id", "labelIds").Do()
			return sortedAs(s, m, err)
		},
	}.Build()
}
