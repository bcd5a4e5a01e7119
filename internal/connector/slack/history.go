package slack

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"steward/internal/automation"
	"steward/internal/connector"
)

const (
	usualMessages = 30
	mostMessages  = 100
	longestText   = 4000 // characters of one message; Slack advises authors to write no more
)

type historyInput struct {
	Channel    string `json:"channel" jsonschema:"name of the channel as in #general, or its id; or the id of a person, for direct messages"`
	ThreadTS   string `json:"thread_ts,omitempty" jsonschema:"ts of a message, for it and its replies; without, the messages of the channel"`
	Since      string `json:"since,omitempty" jsonschema:"only messages after this time, RFC 3339"`
	MaxResults int    `json:"max_results,omitempty" jsonschema:"how many messages at most, 30 if not given"`
	PageToken  string `json:"page_token,omitempty" jsonschema:"next_page_token of the answer before, for what follows it"`
}

type historyResult struct {
	Channel       string         `json:"channel" jsonschema:"its id"`
	Messages      []messageShown `json:"messages" jsonschema:"the newest first; of a thread the oldest first"`
	NextPageToken string         `json:"next_page_token,omitempty" jsonschema:"present if there are more"`
}

type messageShown struct {
	TS      string `json:"ts" jsonschema:"names the message in its channel"`
	Time    string `json:"time,omitempty" jsonschema:"RFC 3339 in UTC"`
	User    string `json:"user,omitempty" jsonschema:"id of the author, for SLACK_LIST_USERS"`
	App     string `json:"app,omitempty" jsonschema:"name of the app that wrote it"`
	Text    string `json:"text"`
	Replies int    `json:"replies,omitempty" jsonschema:"how many there are: thread_ts with this ts reads them"`

	Files []string `json:"files,omitempty" jsonschema:"names of the files with it"`
}

type messageList struct {
	page
	Messages []message `json:"messages"`
}

func historyTool() connector.Tool {
	return connector.Typed[historyInput, historyResult]{
		Tool: connector.Tool{
			Name: "SLACK_GET_HISTORY", Title: "Read a channel", Class: automation.Read, Untrusted: true, Private: true,
			Description: "Reads messages of a Slack channel, or of one thread in it.",
			Scopes:      []string{readHistory},
		},
		Bounds: func(p map[string]*jsonschema.Schema) {
			atMost(p, mostMessages)
			p["thread_ts"].Pattern = timestamp
		},
		Call: history,
	}.Build()
}

func history(ctx context.Context, s *connector.Session, _ connector.Call, in historyInput) (historyResult, error) {
	form := url.Values{"limit": {strconv.Itoa(within(in.MaxResults, usualMessages, mostMessages))}}
	if in.Since != "" {
		since, err := time.Parse(time.RFC3339, in.Since)
		if err != nil {
			return historyResult{}, &connector.Error{Answered: true, Reason: "since: not a time in RFC 3339"}
		}
		form.Set("oldest", strconv.FormatInt(since.Unix(), 10))
	}
	if in.PageToken != "" {
		form.Set("cursor", in.PageToken)
	}
	channel, err := resolve(ctx, s, in.Channel)
	if err != nil {
		return historyResult{}, readFailure(err)
	}
	found, err := messages(ctx, s, place{channel, in.ThreadTS}, form)
	if err != nil {
		return historyResult{}, readFailure(err)
	}
	out := historyResult{Channel: channel, Messages: []messageShown{}, NextPageToken: found.Metadata.Next}
	for _, m := range found.Messages {
		out.Messages = append(out.Messages, messageShown{
			TS: m.TS, Time: written(m.TS), User: m.User, App: m.app(), Text: short(m.said(), longestText), Replies: m.Replies, Files: m.files(),
		})
	}
	return out, nil
}

// place is where messages stand.
type place struct {
	channel string
	thread  string // ts of the message that began it; empty: outside of threads
}

func messages(ctx context.Context, s *connector.Session, at place, form url.Values) (messageList, error) {
	method := "conversations.history"
	form.Set("channel", at.channel)
	if at.thread != "" {
		method = "conversations.replies"
		form.Set("ts", at.thread)
	}
	var found messageList
	err := call(ctx, s, method, form, &found)
	return found, err
}

// timestamp is how Slack names messages: seconds since 1970, and a number that makes it unique.
const timestamp = `^[0-9]{1,12}\.[0-9]{1,9}$`

// written is when a message was posted, empty if its ts does not say.
func written(ts string) string {
	seconds, err := strconv.ParseFloat(ts, 64)
	if err != nil || seconds < 0 || seconds > 1e12 {
		return ""
	}
	return time.Unix(int64(seconds), 0).UTC().Format(time.RFC3339)
}
