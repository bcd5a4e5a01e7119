package slack

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"steward/internal/automation"
	"steward/internal/connector"
)

// longestPost is after how many characters Slack cuts a text off.
const longestPost = 40_000

type postInput struct {
	Channel string `json:"channel" jsonschema:"name of the channel as in #general, or its id; or the id of a person, for direct messages"`
	Text    string `json:"text" jsonschema:"the message, in Slack's mrkdwn"`
}

type replyInput struct {
	Channel  string `json:"channel" jsonschema:"name of the channel as in #general, or its id; or the id of a person, for direct messages"`
	ThreadTS string `json:"thread_ts" jsonschema:"ts of the message that is answered"`
	Text     string `json:"text" jsonschema:"the message, in Slack's mrkdwn"`
}

type postResult struct {
	Channel string `json:"channel" jsonschema:"its id"`
	TS      string `json:"ts" jsonschema:"names the message in its channel"`
	Status  string `json:"status" jsonschema:"posted"`
}

func postTool() connector.Tool {
	return connector.Typed[postInput, postResult]{
		Tool: connector.Tool{
			Name: "SLACK_POST_MESSAGE", Title: "Post a message", Class: automation.Effect,
			Description: "Posts a message in a Slack channel at once, as the person whose account is connected. Everybody in the channel sees it.",
			Addressees:  []string{"channel"}, Scopes: []string{write},
		},
		Bounds: bounds,
		Call: func(ctx context.Context, s *connector.Session, c connector.Call, in postInput) (postResult, error) {
			return post(ctx, s, c, in.Channel, "", in.Text)
		},
		Probe: func(ctx context.Context, s *connector.Session, c connector.Call, _ postInput) (automation.Outcome, postResult, error) {
			return probe(ctx, s, c)
		},
	}.Build()
}

func replyTool() connector.Tool {
	return connector.Typed[replyInput, postResult]{
		Tool: connector.Tool{
			Name: "SLACK_REPLY", Title: "Reply in a thread", Class: automation.Effect,
			Description: "Posts a reply to a message of a Slack channel in its thread, as the person whose account is connected.",
			Addressees:  []string{"channel"}, Scopes: []string{write},
		},
		Bounds: func(p map[string]*jsonschema.Schema) {
			bounds(p)
			p["thread_ts"].Pattern = timestamp
		},
		Call: func(ctx context.Context, s *connector.Session, c connector.Call, in replyInput) (postResult, error) {
			return post(ctx, s, c, in.Channel, in.ThreadTS, in.Text)
		},
		Probe: func(ctx context.Context, s *connector.Session, c connector.Call, _ replyInput) (automation.Outcome, postResult, error) {
			return probe(ctx, s, c)
		},
	}.Build()
}

func bounds(p map[string]*jsonschema.Schema) {
	p["channel"].MaxLength = jsonschema.Ptr(100)
	p["text"].MinLength, p["text"].MaxLength = jsonschema.Ptr(1), jsonschema.Ptr(longestPost)
}

// post posts a message that bears the call's id as metadata, which nobody sees and a probe reads: Slack documents no key
// that would keep a second copy out. The channel is noted before, so that a probe looks where the message was posted
// whatever the channel is called by then.
func post(ctx context.Context, s *connector.Session, c connector.Call, channel, thread, text string) (postResult, error) {
	if strings.TrimSpace(text) == "" {
		return postResult{}, &connector.Error{Answered: true, Reason: sentences["no_text"]}
	}
	if c.Receipt != "" { // an earlier attempt came as far as posting, and someone says to post again
		outcome, standing, err := probe(ctx, s, c)
		if err != nil {
			return postResult{}, readFailure(err)
		}
		if outcome == automation.OutcomeDone {
			return standing, nil
		}
	}
	to, err := resolve(ctx, s, channel)
	if err != nil {
		return postResult{}, readFailure(err)
	}
	mark, err := json.Marshal(map[string]any{"event_type": eventType, "event_payload": map[string]string{payloadCall: c.ID}})
	if err != nil {
		return postResult{}, &connector.Error{Reason: "the message could not be written", Err: err}
	}
	if err := c.Note(ctx, receipt{Channel: to, Thread: thread, At: time.Now().Unix()}.String()); err != nil {
		return postResult{}, &connector.Error{Reason: "the message could not be noted: it was not posted", Err: err}
	}
	form := url.Values{
		"channel": {to}, "text": {text}, "metadata": {string(mark)},
		// Slack's servers would fetch the links in it.
		"unfurl_links": {"false"}, "unfurl_media": {"false"},
	}
	if thread != "" {
		form.Set("thread_ts", thread)
	}
	var posted struct {
		Channel string `json:"channel"`
		TS      string `json:"ts"`
	}
	if err := call(ctx, s, "chat.postMessage", form, &posted); err != nil {
		return postResult{}, failure(err)
	}
	return postResult{Channel: posted.Channel, TS: posted.TS, Status: "posted"}, nil
}
