package slack

import (
	"context"
	"net/url"
	"strconv"

	"github.com/google/jsonschema-go/jsonschema"

	"steward/internal/automation"
	"steward/internal/connector"
)

const (
	usualHits = 20
	mostHits  = 100
	mostPages = 100 // Slack gives no more
	// longestQuery is in characters.
	longestQuery = 500
)

type searchInput struct {
	Query      string `json:"query" jsonschema:"words to look for, with Slack's modifiers such as in:#general, from:@ann, after:2026-11-01"`
	MaxResults int    `json:"max_results,omitempty" jsonschema:"how many messages at most, 20 if not given"`
	Page       int    `json:"page,omitempty" jsonschema:"which page of hits, 1 if not given"`
}

type searchResult struct {
	Messages []hit `json:"messages" jsonschema:"the newest first"`
	Total    int   `json:"total" jsonschema:"how many messages fit in all"`
	NextPage int   `json:"next_page,omitempty" jsonschema:"present if there are more"`
}

type hit struct {
	Channel     string `json:"channel" jsonschema:"its id"`
	ChannelName string `json:"channel_name,omitempty"`
	TS          string `json:"ts" jsonschema:"names the message in its channel"`
	Time        string `json:"time,omitempty" jsonschema:"RFC 3339 in UTC"`
	User        string `json:"user,omitempty" jsonschema:"id of the author, for SLACK_LIST_USERS"`
	App         string `json:"app,omitempty" jsonschema:"name of the app that wrote it"`
	Text        string `json:"text"`
	Link        string `json:"link,omitempty" jsonschema:"for a person's browser"`

	Files []string `json:"files,omitempty" jsonschema:"names of the files with it"`
}

// matches is an answer of search.messages (https://docs.slack.dev/reference/methods/search.messages).
type matches struct {
	Messages struct {
		Total   int `json:"total"`
		Matches []struct {
			message

			Channel struct{ ID, Name string } `json:"channel"`
			Link    string                    `json:"permalink"`
		} `json:"matches"`
		Paging struct {
			Page  int `json:"page"`
			Pages int `json:"pages"`
		} `json:"paging"`
	} `json:"messages"`
}

// searchTool asks for its scope when it is first used: search:read opens private conversations too.
func searchTool() connector.Tool {
	return connector.Typed[searchInput, searchResult]{
		Tool: connector.Tool{
			Name: "SLACK_SEARCH_MESSAGES", Title: "Search messages", Class: automation.Read, Untrusted: true, Private: true,
			Description: "Searches the messages that the connected person can read in Slack, private conversations too.",
			Scopes:      []string{search},
			StepUp:      true,
		},
		Bounds: func(p map[string]*jsonschema.Schema) {
			atMost(p, mostHits)
			p["query"].MinLength, p["query"].MaxLength = jsonschema.Ptr(1), jsonschema.Ptr(longestQuery)
			p["page"].Minimum, p["page"].Maximum = jsonschema.Ptr(1.0), jsonschema.Ptr(float64(mostPages))
		},
		Call: searchMessages,
	}.Build()
}

func searchMessages(ctx context.Context, s *connector.Session, _ connector.Call, in searchInput) (searchResult, error) {
	form := url.Values{
		"query": {in.Query}, "sort": {"timestamp"}, "sort_dir": {"desc"}, "highlight": {"false"},
		"count": {strconv.Itoa(within(in.MaxResults, usualHits, mostHits))}, "page": {strconv.Itoa(within(in.Page, 1, mostPages))},
	}
	var found matches
	if err := call(ctx, s, "search.messages", form, &found); err != nil {
		return searchResult{}, readFailure(err)
	}
	out := searchResult{Messages: []hit{}, Total: found.Messages.Total}
	for _, m := range found.Messages.Matches {
		out.Messages = append(out.Messages, hit{
			Channel: m.Channel.ID, ChannelName: m.Channel.Name, TS: m.TS, Time: written(m.TS), User: m.User, App: m.app(),
			Text: short(m.said(), longestText), Link: m.Link, Files: m.files(),
		})
	}
	if p := found.Messages.Paging; p.Page < p.Pages && p.Page < mostPages {
		out.NextPage = p.Page + 1
	}
	return out, nil
}
