package slack

import (
	"context"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"steward/internal/connector"
	"steward/internal/oauth"
)

// channel is a conversation as Slack lists it.
type channel struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Private bool   `json:"is_private"`
	Member  bool   `json:"is_member"`
	Members int    `json:"num_members"`
	Topic   text   `json:"topic"`
	Purpose text   `json:"purpose"`
}

type text struct {
	Value string `json:"value"`
}

// page is where a list goes on.
type page struct {
	Metadata struct {
		Next string `json:"next_cursor"`
	} `json:"response_metadata"`
}

type channelList struct {
	page
	Channels []channel `json:"channels"`
}

// list reads one page of the channels that are not archived.
func list(ctx context.Context, s *connector.Session, most int, cursor string) (channelList, error) {
	types := "public_channel"
	if s.Grants(readPrivate) {
		types += ",private_channel"
	}
	form := url.Values{"types": {types}, "exclude_archived": {"true"}, "limit": {strconv.Itoa(most)}}
	if cursor != "" {
		form.Set("cursor", cursor)
	}
	var answer channelList
	err := call(ctx, s, "conversations.list", form, &answer)
	return answer, err
}

const (
	lookPage  = 1000 // channels that one request of a look-up asks for: Slack gives no more
	lookPages = 10   // requests of one look-up
)

// How ids of conversations and of people look; names are in lower case.
var (
	id     = regexp.MustCompile(`^[CGD][A-Z0-9]{7,}$`)
	person = regexp.MustCompile(`^[UW][A-Z0-9]{7,}$`)
)

// resolve finds the id of a channel that is named as people do, with or without #, or of the direct messages with a
// person. Chat methods take ids alone.
func resolve(ctx context.Context, s *connector.Session, named string) (string, error) {
	named = strings.TrimSpace(named)
	if id.MatchString(named) {
		return named, nil
	}
	if person.MatchString(named) {
		return direct(ctx, s, named)
	}
	name := strings.ToLower(strings.TrimPrefix(named, "#"))
	if name == "" {
		return "", &connector.Error{Answered: true, Reason: "channel: a name or an id is missing"}
	}
	cursor := ""
	for range lookPages {
		found, err := list(ctx, s, lookPage, cursor)
		if err != nil {
			return "", err
		}
		for _, c := range found.Channels {
			if c.Name == name {
				return c.ID, nil
			}
		}
		if cursor = found.Metadata.Next; cursor == "" {
			return "", &connector.Error{Answered: true, Reason: nowhere(s)}
		}
	}
	return "", &connector.Error{Answered: true, Reason: "there are more channels than are looked through: give the channel's id"}
}

// nowhere says that no channel has a name. A name that the model made up must not ask the person for a consent: whoever
// is sure that there is such a channel can.
func nowhere(s *connector.Session) string {
	if grants(s, private) {
		return "there is no such channel, or the account cannot see it: SLACK_LIST_CHANNELS lists those it can"
	}
	return "there is no public channel of that name, and private ones were not granted: SLACK_LIST_CHANNELS with private asks for them"
}

// direct opens the direct messages with a person, which nobody sees before there is one. The history of them is where
// a probe looks for a message.
func direct(ctx context.Context, s *connector.Session, user string) (string, error) {
	if !grants(s, directly) {
		return "", needs(s, directly, "Slack was not granted direct messages")
	}
	var answer struct {
		Channel struct {
			ID string `json:"id"`
		} `json:"channel"`
	}
	err := call(ctx, s, "conversations.open", url.Values{"users": {user}}, &answer)
	return answer.Channel.ID, err
}

// grants says whether all of the scopes were granted.
func grants(s *connector.Session, scopes []string) bool {
	return !slices.ContainsFunc(scopes, func(scope string) bool { return !s.Grants(scope) })
}

// needs asks the person for scopes.
func needs(s *connector.Session, scopes []string, reason string) *connector.Error {
	need := &oauth.ConsentError{Provider: Provider, Scopes: scopes, Version: s.Version, Reason: reason}
	return &connector.Error{Reason: reason, Err: need}
}
