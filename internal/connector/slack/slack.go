// Package slack is the connector to a workspace of Slack, as the person who has connected it: read channels, post and
// reply exactly once.
//
// Searching asks for its scope when it is first used: search:read opens private conversations too, and Slack lets nobody
// consent to a part of what is asked for.
//
// An app that is sold outside of Slack's Marketplace may read one page of 15 messages a minute
// (https://docs.slack.dev/apis/web-api/rate-limits). Then a probe that needs more than one page cannot say what became of
// a message, and a person is asked.
package slack

import (
	"slices"

	"steward/internal/connector"
)

const (
	service = "Slack"
	// Provider is the name of the oauth.Provider.
	Provider = "slack"
)

// Scopes (https://docs.slack.dev/reference/scopes).
const (
	readChannels = "channels:read"
	readPrivate  = "groups:read"
	readHistory  = "channels:history"
	readUsers    = "users:read"
	write        = "chat:write"
	search       = "search:read"
)

// Scopes of what is private. They are asked for when somebody asks for it: to list and read the private channels that the
// account is in, and to write to people and read what they answer.
var (
	private  = []string{readPrivate, "groups:history"}
	directly = []string{"im:write", "im:history"}
)

// Scopes lists what the connector knows of, for what is asked first and later.
func Scopes() []string {
	return slices.Concat([]string{readChannels, readHistory, readUsers, write, search}, private, directly)
}

// New makes the connector.
func New() *connector.Connector {
	return &connector.Connector{
		Name: "slack", Title: service, Description: "Read channels and post messages in a workspace of Slack.", Provider: Provider,
		Tools: []connector.Tool{channelsTool(), historyTool(), searchTool(), usersTool(), postTool(), replyTool()},
	}
}
