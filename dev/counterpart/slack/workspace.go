package slack

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Token is an access token of Alice's with every scope, for tests that are not about consent. RevokeAll does not end
// it.
func (s *Server) Token() string { return s.own }

// Message is one that stands in a channel.
type Message struct {
	TS, ThreadTS, User, Text string
	Metadata                 struct {
		EventType    string            `json:"event_type"`
		EventPayload map[string]string `json:"event_payload"`
	}
}

// UnmarshalJSON knows Slack's names.
func (m *Message) UnmarshalJSON(doc []byte) error {
	type plain Message
	read := struct {
		*plain
		Thread string `json:"thread_ts"`
	}{plain: (*plain)(m)}
	err := json.Unmarshal(doc, &read)
	m.ThreadTS = read.Thread
	return err
}

// Channel is the id of a channel.
func (s *Server) Channel(t testing.TB, name string) string {
	t.Helper()
	var answer struct{ Channels []struct{ ID, Name string } }
	s.ask(t, Channels, url.Values{"types": {"public_channel,private_channel"}}, &answer)
	for _, c := range answer.Channels {
		if c.Name == name {
			return c.ID
		}
	}
	require.Fail(t, "no such channel", name)
	return ""
}

// Messages lists what stands in a channel outside of threads, the newest first.
func (s *Server) Messages(t testing.TB, channel string) []Message {
	t.Helper()
	return s.messages(t, History, url.Values{"channel": {s.Channel(t, channel)}})
}

// Thread lists what stands in a thread, the message that began it first.
func (s *Server) Thread(t testing.TB, channel, ts string) []Message {
	t.Helper()
	return s.messages(t, Replies, url.Values{"channel": {s.Channel(t, channel)}, "ts": {ts}})
}

// Say posts a message of Alice's and returns its ts.
func (s *Server) Say(t testing.TB, channel, text string) string {
	t.Helper()
	var answer Message
	s.ask(t, Post, url.Values{"channel": {s.Channel(t, channel)}, "text": {text}}, &answer)
	return answer.TS
}

func (s *Server) messages(t testing.TB, method Method, form url.Values) []Message {
	t.Helper()
	var answer struct{ Messages []Message }
	s.ask(t, method, form, &answer)
	return answer.Messages
}

// ask asks the emulator itself: the proxy neither counts it nor spoils it.
func (s *Server) ask(t testing.TB, method Method, form url.Values, answer any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.upstream.String()+"/api/"+string(method), strings.NewReader(form.Encode()))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", "Bearer "+s.own)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { require.NoError(t, resp.Body.Close()) }()
	var doc json.RawMessage
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&doc))
	var said struct{ OK bool }
	require.NoError(t, json.Unmarshal(doc, &said))
	require.True(t, said.OK, "%s", doc)
	require.NoError(t, json.Unmarshal(doc, answer))
}
