package gmail_test

import (
	"testing"

	gmailapi "google.golang.org/api/gmail/v1"

	"steward/internal/connector/connectortest"
	"steward/internal/connector/gmail"
)

func TestConforms(t *testing.T) {
	t.Parallel()
	connectortest.Conform(t, gmail.New(),
		gmailapi.GmailReadonlyScope, gmailapi.GmailComposeScope, gmailapi.GmailSendScope, gmailapi.GmailModifyScope, gmailapi.MailGoogleComScope)
}
