package gmail

import (
	"context"
	"fmt"
	"strings"

	gmailapi "google.golang.org/api/gmail/v1"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/connector/google"
)

type labels struct {
	Labels []label `json:"labels"`
}

type label struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Type string `json:"type" jsonschema:"system: one of Gmail's own, such as INBOX, UNREAD or STARRED; user: one of the account's"`
}

func labelsTool() connector.Tool {
	return connector.Typed[struct{}, labels]{
		Tool: connector.Tool{
			Name: "GMAIL_LIST_LABELS", Title: "List labels", Class: automation.Read, Private: true,
			Description: "Lists the labels of the Gmail account: Gmail's own and those that its owner has made.",
			Scopes:      canRead,
		},
		Call: func(ctx context.Context, s *connector.Session, _ connector.Call, _ struct{}) (labels, error) {
			api, err := users(ctx, s)
			if err != nil {
				return labels{}, err
			}
			all, err := labelsOf(ctx, api)
			if err != nil {
				return labels{}, google.ReadFailure(s, service, canRead, err)
			}
			return labels{Labels: all}, nil
		},
	}.Build()
}

func labelsOf(ctx context.Context, api *gmailapi.UsersService) ([]label, error) {
	list, err := api.Labels.List(me).Context(ctx).Fields("labels(id,name,type)").Do()
	if err != nil {
		return nil, fmt.Errorf("list labels: %w", err)
	}
	out := make([]label, 0, len(list.Labels))
	for _, l := range list.Labels {
		out = append(out, label{ID: l.Id, Name: l.Name, Type: l.Type})
	}
	return out, nil
}

// idsOf finds the labels that are meant by id or, in any case, by name. The error says which is none.
func idsOf(known []label, meant []string) ([]string, error) {
	ids := make([]string, 0, len(meant))
next:
	for _, one := range meant {
		for _, l := range known {
			if l.ID == one || strings.EqualFold(l.Name, one) {
				ids = append(ids, l.ID)
				continue next
			}
		}
		return nil, fmt.Errorf("there is no label %q", one)
	}
	return ids, nil
}
