package client

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// following serves one run as it is now, and what has happened to it so far.
func following(t *testing.T, run string, events ...string) string {
	t.Helper()
	c := server(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !strings.HasSuffix(r.URL.Path, "/events"):
			_, _ = fmt.Fprint(w, run)
		case r.Header.Get("Last-Event-ID") == "0":
			for i, e := range events {
				_, _ = fmt.Fprintf(w, "data: {\"seq\":%d,%s}\n\n", i+1, e)
			}
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	})
	var out bytes.Buffer
	_, err := c.Follow(t.Context(), 1, &out, true)
	require.NoError(t, err)
	return out.String()
}

const parked = `"kind":"run.parked","body":{"state":"waiting_for_auth","reason":"Gmail is not connected"}`

func TestFollowShowsWhereToConsent(t *testing.T) {
	t.Parallel()
	link := "http://127.0.0.1:8000/auth/google/login?link=" + strings.Repeat("x", 2000)
	text := following(t, `{"state":"waiting_for_auth","waiting":{"reason":"Gmail is not connected","url":"`+link+`","retry_at":"2026-11-20T09:40:03Z"}}`, parked)
	require.Contains(t, text, "run sleeps: Gmail is not connected\n")
	require.Contains(t, text, "consent at "+link+"\n", "whole")
	require.Regexp(t, `tried again at 2026-11-20 \d\d:40:03\n`, text)
	over := following(t, `{"state":"running"}`, parked)
	require.NotContains(t, over, "consent at", "that was then")
}

func TestFollowExplainsQuestions(t *testing.T) {
	t.Parallel()
	asked := `"kind":"decision.asked","body":{"step":1,"decision":"dec_1","call":"call_1","tool":"mailbox/send","reason":"it sends"}`
	text := following(t, `{"state":"waiting_for_approval","tool_calls":[{"id":"call_1","decision":{"id":"dec_1","explanation":{
		"rules":[{"code":"unknown_addressee","text":"it would reach eve@evil.test"}],"tainted":["mailbox/read"],"flagged":"a zero-width space",
		"addressees":[{"value":"eve@evil.test\u001b[2J","known":false,"where":"to"},{"value":"bob@example.com","known":true,"where":"cc"}]}}}]}`, asked)
	for _, line := range []string{
		"because of unknown_addressee: it would reach eve@evil.test", "after answers of mailbox/read",
		"hidden in the tool's description: a zero-width space", "reaches eve@evil.test (to), NOT KNOWN", "reaches bob@example.com (cc), known",
	} {
		require.Contains(t, text, "                       "+line+"\n")
	}
	require.NotContains(t, text, "\x1b")
	answered := following(t, `{"state":"running","tool_calls":[{"id":"call_1"}]}`, asked)
	require.NotContains(t, answered, "because of")
}

func TestFollowEndsWithDataAndCost(t *testing.T) {
	t.Parallel()
	text := following(t, `{"state":"success","output":{"text":"{\"total\": 3}","data":{"total":3}},"usage":{"total_tokens":1926,"cost_usd":0.0042}}`,
		`"kind":"run.finished","body":{"state":"success"}`)
	require.True(t, strings.HasSuffix(text, "\n{\"total\":3}\n1926 tokens, 0.0042 USD\n"), text)
}
