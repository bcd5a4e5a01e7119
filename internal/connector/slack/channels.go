package slack

import (
	"context"

	"github.com/google/jsonschema-go/jsonschema"

	"steward/internal/automation"
	"steward/internal/connector"
)

const (
	usualChannels = 100
	mostChannels  = 200
	longestTopic  = 250 // characters, as at Slack
)

type channelsInput struct {
	Private    bool   `json:"private,omitempty" jsonschema:"true: the private channels that the account is in as well; the person is asked to consent, if need be"`
	MaxResults int    `json:"max_results,omitempty" jsonschema:"how many channels at most, 100 if not given"`
	PageToken  string `json:"page_token,omitempty" jsonschema:"next_page_token of the answer before, for what follows it"`
}

type channelsResult struct {
	Channels      []channelShown `json:"channels"`
	NextPageToken string         `json:"next_page_token,omitempty" jsonschema:"present if there are more"`
}

type channelShown struct {
	ID      string `json:"id"`
	Name    string `json:"name" jsonschema:"without #"`
	Private bool   `json:"private"`
	Member  bool   `json:"member" jsonschema:"whether the account is in it"`
	Members int    `json:"members" jsonschema:"how many people are in it"`
	Topic   string `json:"topic,omitempty"`
	Purpose string `json:"purpose,omitempty"`
}

func channelsTool() connector.Tool {
	return connector.Typed[channelsInput, channelsResult]{
		Tool: connector.Tool{
			Name: "SLACK_LIST_CHANNELS", Title: "List channels", Class: automation.Read, Untrusted: true, Private: true,
			Description: "Lists the public channels of the Slack workspace that are not archived, and the private ones that the account is in where that was granted.",
			Scopes:      []string{readChannels},
		},
		Bounds: func(p map[string]*jsonschema.Schema) { atMost(p, mostChannels) },
		Call: func(ctx context.Context, s *connector.Session, _ connector.Call, in channelsInput) (channelsResult, error) {
			if in.Private && !grants(s, private) {
				return channelsResult{}, needs(s, private, "Slack was not granted private channels")
			}
			found, err := list(ctx, s, within(in.MaxResults, usualChannels, mostChannels), in.PageToken)
			if err != nil {
				return channelsResult{}, readFailure(err)
			}
			out := channelsResult{Channels: []channelShown{}, NextPageToken: found.Metadata.Next}
			for _, c := range found.Channels {
				out.Channels = append(out.Channels, channelShown{
					ID: c.ID, Name: c.Name, Private: c.Private, Member: c.Member, Members: c.Members,
					Topic: short(c.Topic.Value, longestTopic), Purpose: short(c.Purpose.Value, longestTopic),
				})
			}
			return out, nil
		},
	}.Build()
}

// atMost bounds max_results.
func atMost(p map[string]*jsonschema.Schema, most int) {
	p["max_results"].Minimum, p["max_results"].Maximum = jsonschema.Ptr(1.0), jsonschema.Ptr(float64(most))
}

// within is what was asked for, if it is within bounds.
func within(asked, usual, most int) int {
	if asked <= 0 || asked > most {
		return usual
	}
	return asked
}

// short cuts a text after so many characters and shows that it did.
func short(text string, most int) string {
	characters := []rune(text)
	if len(characters) <= most {
		return text
	}
	return string(characters[:most]) + "…"
}
