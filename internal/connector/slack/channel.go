package slack

import (
	"context"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"steward/internal/connector"
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

// id is how ids of conversations look; names are in lower case.
var id = regexp.MustCompile(`^[CGD][A-Z0-9]{7,}$`)

// resolve finds the id of a channel that is named as people do, with or without #. Chat methods take ids alone.
func resolve(ctx context.Context, s *connector.Session, named string) (string, error) {
	named = strings.TrimSpace(named)
	if id.MatchString(named) {
		return named, nil
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
			return "", &connector.Error{Answered: true, Reason: "there is no such channel, or the account cannot see it: SLACK_LIST_CHANNELS lists those it can"}
		}
	}
	return "", &connector.Error{Answered: true, Reason: "there are more channels than are looked through: give the channel's id"}
}
