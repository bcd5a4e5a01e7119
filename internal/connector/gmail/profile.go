package gmail

import (
	"context"
	"slices"

	gmailapi "google.golang.org/api/gmail/v1"

	"steward/internal/automation"
	"steward/internal/connector"
)

type profile struct {
	EmailAddress string `json:"emailAddress" jsonschema:"the account's own mail address"`
}

func profileTool() connector.Tool {
	return connector.Typed[struct{}, profile]{
		Tool: connector.Tool{
			Name: "GMAIL_GET_PROFILE", Title: "Own address", Class: automation.Read, Private: true,
			Description: "Returns the mail address of the connected Gmail account, for example to send something to its owner.",
			Scopes:      append(slices.Clone(canRead), gmailapi.GmailComposeScope, gmailapi.GmailSendScope),
		},
		// The address is known since the consent, from the ID token: no request is needed.
		Call: func(_ context.Context, s *connector.Session, _ connector.Call, _ struct{}) (profile, error) {
			return profile{EmailAddress: s.Account}, nil
		},
	}.Build()
}
