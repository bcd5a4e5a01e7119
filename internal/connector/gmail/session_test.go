package gmail_test

import (
	"testing"

	gmailapi "google.golang.org/api/gmail/v1"

	"steward/internal/connector/gmail"
	"steward/internal/connector/google/googletest"
)

const send = "GMAIL_SEND_EMAIL"

// newAccount is one that has consented to reading and writing where nothing else is said.
func newAccount(t *testing.T, scopes ...string) *googletest.Account {
	t.Helper()
	if len(scopes) == 0 {
		scopes = []string{gmailapi.GmailReadonlyScope, gmailapi.GmailComposeScope}
	}
	return googletest.NewAccount(t, gmail.New(), scopes...)
}
