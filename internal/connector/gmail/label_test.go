package gmail_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	gmailapi "google.golang.org/api/gmail/v1"

	"steward/dev/counterpart/google"
	"steward/internal/connector/google/googletest"
	"steward/internal/oauth"
)

type sorted struct {
	ID     string
	Labels []string
}

func TestLabels(t *testing.T) {
	t.Parallel()
	a := newAccount(t, gmailapi.GmailModifyScope)
	id := a.Deliver(t, google.Alice, google.Mail{From: google.Bob, Subject: "Hello", Body: "x"})
	var all struct {
		Labels []struct{ ID, Name, Type string }
	}
	require.NoError(t, a.Call("GMAIL_LIST_LABELS", googletest.NewAttempt(`{}`), &all))
	require.Contains(t, all.Labels, struct{ ID, Name, Type string }{"STARRED", "STARRED", "system"})

	change := googletest.NewAttempt(fmt.Sprintf(`{"message_id":%q,"add_labels":["starred"],"remove_labels":["UNREAD","INBOX"]}`, id))
	a.Inject(google.LabelsModify, 1, google.Fault{Cut: true})
	require.True(t, googletest.Failure(t, a.Call("GMAIL_MODIFY_LABELS", change, &sorted{})).Ran)
	var got sorted
	require.NoError(t, a.Call("GMAIL_MODIFY_LABELS", change.Again(), &got), "the same a second time leaves the same")
	require.Equal(t, sorted{id, []string{"STARRED"}}, got)

	require.NoError(t, a.Call("GMAIL_TRASH_EMAIL", googletest.NewAttempt(fmt.Sprintf(`{"message_id":%q}`, id)), &got))
	require.Contains(t, got.Labels, "TRASH")
	require.NoError(t, a.Call("GMAIL_TRASH_EMAIL", googletest.NewAttempt(fmt.Sprintf(`{"message_id":%q}`, id)), &got))

	for arguments, reason := range map[string]string{
		`{"message_id":"` + id + `"}`:                              "add_labels, remove_labels: one of them is needed",
		`{"message_id":"` + id + `","add_labels":["No such one"]}`: `there is no label "No such one"`,
		`{"message_id":"nope","add_labels":["STARRED"]}`:           "there is no mail with that id",
	} {
		e := googletest.Failure(t, a.Call("GMAIL_MODIFY_LABELS", googletest.NewAttempt(arguments), &got))
		require.True(t, e.Answered)
		require.Equal(t, reason, e.Reason)
	}
}

func TestSortingAsksForItsScope(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.Inject(google.LabelsModify, 1, google.Fault{Status: http.StatusForbidden, Reason: "insufficientPermissions"})
	e := googletest.Failure(t, a.Call("GMAIL_MODIFY_LABELS", googletest.NewAttempt(`{"message_id":"x","add_labels":["STARRED"]}`), &sorted{}))
	need := &oauth.ConsentError{}
	require.ErrorAs(t, e, &need)
	require.Equal(t, gmailapi.GmailModifyScope, need.Scopes[0], "the least that suffices")
	require.False(t, e.Ran || e.Answered)
}
