// Package gmail is the connector to a user's Gmail: search, read, sort, and send exactly once.
package gmail

import (
	"context"

	gmailapi "google.golang.org/api/gmail/v1"

	"steward/internal/connector"
	"steward/internal/connector/google"
)

const service = "Gmail"

// me stands for the account whose token is sent.
const me = "me"

// Scopes of which any one suffices, the least first: it is the one that is asked for.
// https://developers.google.com/workspace/gmail/api/auth/scopes
var (
	canRead  = []string{gmailapi.GmailReadonlyScope, gmailapi.GmailModifyScope, gmailapi.MailGoogleComScope}
	canDraft = []string{gmailapi.GmailComposeScope, gmailapi.GmailModifyScope, gmailapi.MailGoogleComScope}
	canSort  = []string{gmailapi.GmailModifyScope, gmailapi.MailGoogleComScope}
	canSend  = []string{gmailapi.GmailComposeScope, gmailapi.GmailModifyScope, gmailapi.MailGoogleComScope, gmailapi.GmailSendScope}
)

// New makes the connector.
func New() *connector.Connector {
	return &connector.Connector{
		Name: "gmail", Title: service, Description: "Search, read and send mail of a Gmail account.", Provider: google.Provider,
		Tools: []connector.Tool{
			profileTool(), searchTool(), getTool(), sendTool(),
			threadTool(), attachmentTool(), draftTool(), labelsTool(), modifyTool(), trashTool(),
		},
	}
}

// users is Google's client for one session.
func users(ctx context.Context, s *connector.Session) (*gmailapi.UsersService, error) {
	api, err := gmailapi.NewService(ctx, google.Options(s, "")...)
	if err != nil {
		return nil, &connector.Error{Reason: "Gmail's client could not be set up", Err: err}
	}
	return api.Users, nil
}
