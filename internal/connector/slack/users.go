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
	usualUsers = 100
	mostUsers  = 200
)

type usersInput struct {
	MaxResults int    `json:"max_results,omitempty" jsonschema:"how many people at most, 100 if not given"`
	PageToken  string `json:"page_token,omitempty" jsonschema:"next_page_token of the answer before, for what follows it"`
}

type usersResult struct {
	Users         []userShown `json:"users"`
	NextPageToken string      `json:"next_page_token,omitempty" jsonschema:"present if there are more"`
}

type userShown struct {
	ID       string `json:"id" jsonschema:"as in messages, where <@id> names them"`
	Name     string `json:"name"`
	RealName string `json:"real_name,omitempty"`
	Bot      bool   `json:"bot"`
}

type userList struct {
	page
	Members []struct {
		ID       string `json:"id"`
		Name     string `json:"name"`
		RealName string `json:"real_name"`
		Bot      bool   `json:"is_bot"`
		Deleted  bool   `json:"deleted"`
	} `json:"members"`
}

func usersTool() connector.Tool {
	return connector.Typed[usersInput, usersResult]{
		Tool: connector.Tool{
			Name: "SLACK_LIST_USERS", Title: "List people", Class: automation.Read, Untrusted: true, Private: true,
			Description: "Lists the people of the Slack workspace, so that the ids in messages get names.",
			Scopes:      []string{readUsers},
		},
		Bounds: func(p map[string]*jsonschema.Schema) { atMost(p, mostUsers) },
		Call:   users,
	}.Build()
}

func users(ctx context.Context, s *connector.Session, _ connector.Call, in usersInput) (usersResult, error) {
	form := url.Values{"limit": {strconv.Itoa(within(in.MaxResults, usualUsers, mostUsers))}}
	if in.PageToken != "" {
		form.Set("cursor", in.PageToken)
	}
	var found userList
	if err := call(ctx, s, "users.list", form, &found); err != nil {
		return usersResult{}, readFailure(err)
	}
	out := usersResult{Users: []userShown{}, NextPageToken: found.Metadata.Next}
	for _, m := range found.Members {
		if !m.Deleted {
			out.Users = append(out.Users, userShown{ID: m.ID, Name: m.Name, RealName: m.RealName, Bot: m.Bot})
		}
	}
	return out, nil
}
