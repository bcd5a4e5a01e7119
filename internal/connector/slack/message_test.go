package slack_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/connector"
)

// What apps post stands in attachments and blocks, and files have names alone.
func TestMessagesOfApps(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `{"ok":true,"messages":[
			{"ts":"1.5","bot_id":"B1","username":"Datadog","text":"","attachments":[{"fallback":"CPU","title":"CPU 98% on db-1","text":"See the runbook"},{"fallback":"Only this"}]},
			{"ts":"1.4","user":"U1","bot_profile":{"name":"Deployer"},"text":"","blocks":[{"type":"header","text":{"type":"plain_text","text":"Deployed"}},
				{"type":"section","fields":[{"type":"mrkdwn","text":"*Version* 7"}]},
				{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"by "},{"type":"user","user_id":"U2"},{"type":"text","text":"hand"}]}]}]},
			{"ts":"1.3","user":"U1","text":"here","blocks":[{"type":"section","text":{"type":"mrkdwn","text":"here"}}],"files":[{"name":"q3.pdf"},{"title":"Plan"}]},
			{"ts":"1.2","user":"U1","text":"look","blocks":7,"attachments":[{"title":"A page","text":"of it"}]}]}`)
	}))
	t.Cleanup(server.Close)
	w := &workspace{t: t, session: &connector.Session{HTTP: server.Client(), BaseURL: server.URL}}
	var got struct {
		Messages []struct {
			User, App, Text string
			Files           []string
		}
	}
	require.NoError(t, w.call(newAttempt("SLACK_GET_HISTORY", `{"channel":"C00000001"}`), &got))
	require.Equal(t, "CPU 98% on db-1\nSee the runbook\nOnly this", got.Messages[0].Text)
	require.Equal(t, "Datadog", got.Messages[0].App)
	require.Equal(t, "Deployed\n*Version* 7\nby \nhand", got.Messages[1].Text)
	require.Equal(t, "U1 Deployer", got.Messages[1].User+" "+got.Messages[1].App)
	require.Equal(t, "here", got.Messages[2].Text)
	require.Equal(t, []string{"q3.pdf", "Plan"}, got.Messages[2].Files)
	require.Equal(t, "look\nA page\nof it", got.Messages[3].Text)
}
