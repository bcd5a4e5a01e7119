package scenario_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/dev/offline/dialog"
	"steward/dev/offline/scenario"
	"steward/internal/connector/gmail"
)

// gmailTask is a task in a run that may use a Gmail account and nothing else.
func gmailTask(instruction string) dialog.Dialog {
	d := dialog.Dialog{Instruction: instruction, Today: time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC), Parallel: true}
	for _, t := range gmail.New().Tools {
		d.Tools = append(d.Tools, dialog.Tool{Name: t.Name, Description: t.Description, Parameters: t.InputSchema})
	}
	return d
}

func TestInvoiceScenarioOnGmail(t *testing.T) {
	t.Parallel()
	list, err := scenario.Load(scenario.Builtin())
	require.NoError(t, err)
	for _, tt := range []struct {
		instruction string
		asks        bool // for the account's own address
		to          string
	}{
		{"Find last week's invoice emails, add them up and mail me the sum.", true, "alice@example.com"},
		{"Find last week's invoice emails, add them up and mail the sum to boss@company.example.", false, "boss@company.example"},
	} {
		d := gmailTask(tt.instruction)
		answer := func(want, output string) {
			t.Helper()
			reply, ok := list[0].Play(d)
			require.True(t, ok, tt.instruction)
			require.Len(t, reply.Calls, 1)
			require.Equal(t, want, reply.Calls[0].Name+" "+reply.Calls[0].Arguments)
			d.Calls = append(d.Calls, dialog.Call{Name: reply.Calls[0].Name, Output: output})
		}
		answer(`GMAIL_SEARCH_EMAILS {"max_results":50,"query":"invoice after:2026-11-14 before:2026-11-22"}`,
			`{"emails":[{"id":"m1","threadId":"t1","from":"b@v.example","subject":"Invoice 7","date":"2026-11-20T08:00:00Z","snippet":"…","hasAttachments":false}]}`)
		answer(`GMAIL_GET_EMAIL {"message_id":"m1"}`,
			`{"id":"m1","threadId":"t1","from":"b@v.example","subject":"Invoice 7","date":"2026-11-20T08:00:00Z","labels":[],"body":"Total: EUR 120.00","attachments":[]}`)
		if tt.asks {
			answer(`GMAIL_GET_PROFILE {}`, `{"emailAddress":"alice@example.com"}`)
		}
		reply, ok := list[0].Play(d)
		require.True(t, ok)
		require.Equal(t, "GMAIL_SEND_EMAIL", reply.Calls[0].Name)
		require.Contains(t, reply.Calls[0].Arguments, `"to":["`+tt.to+`"]`)
		require.Contains(t, reply.Calls[0].Arguments, "EUR 120.00")
		d.Calls = append(d.Calls, dialog.Call{Name: "GMAIL_SEND_EMAIL", Output: `{"messageId":"m9","threadId":"t9","status":"sent"}`})
		reply, ok = list[0].Play(d)
		require.True(t, ok)
		require.Contains(t, reply.Text, "Sent the sum to "+tt.to+" (message m9).")
		require.Contains(t, reply.Text, "Total: EUR 120.00")
	}
}
