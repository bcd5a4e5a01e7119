package gmail

import (
	"context"

	"github.com/google/jsonschema-go/jsonschema"
	gmailapi "google.golang.org/api/gmail/v1"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/connector/google"
)

type modifyInput struct {
	MessageID    string   `json:"message_id" jsonschema:"id of a mail, from GMAIL_SEARCH_EMAILS"`
	AddLabels    []string `json:"add_labels,omitempty" jsonschema:"names or ids of labels that the mail gets, e.g. STARRED"`
	RemoveLabels []string `json:"remove_labels,omitempty" jsonschema:"names or ids of labels that the mail loses: UNREAD marks it as read, INBOX archives it"`
}

type sorted struct {
	ID     string   `json:"id"`
	Labels []string `json:"labels" jsonschema:"ids of the labels that the mail has now"`
}

func modifyTool() connector.Tool {
	return connector.Typed[modifyInput, sorted]{
		Tool: connector.Tool{
			Name: "GMAIL_MODIFY_LABELS", Title: "Label a mail", Class: automation.Idempotent, Private: true,
			Description: "Gives a mail labels and takes labels off it, which also stars it, marks it as read or archives it.",
			Scopes:      canSort,
			StepUp:      true,
		},
		Bounds: func(p map[string]*jsonschema.Schema) {
			p["add_labels"].MaxItems, p["remove_labels"].MaxItems = jsonschema.Ptr(mostLabels), jsonschema.Ptr(mostLabels)
		},
		Call: modify,
	}.Build()
}

// mostLabels bounds one change; Gmail takes 100.
const mostLabels = 50

func modify(ctx context.Context, s *connector.Session, _ connector.Call, in modifyInput) (sorted, error) {
	if len(in.AddLabels)+len(in.RemoveLabels) == 0 {
		return sorted{}, &connector.Error{Answered: true, Reason: "add_labels, remove_labels: one of them is needed"}
	}
	api, err := users(ctx, s)
	if err != nil {
		return sorted{}, err
	}
	known, err := labelsOf(ctx, api)
	if err != nil {
		return sorted{}, google.ReadFailure(s, service, canSort, err)
	}
	change := &gmailapi.ModifyMessageRequest{}
	if change.AddLabelIds, err = idsOf(known, in.AddLabels); err == nil {
		change.RemoveLabelIds, err = idsOf(known, in.RemoveLabels)
	}
	if err != nil {
		return sorted{}, &connector.Error{Answered: true, Reason: err.Error()}
	}
	m, err := api.Messages.Modify(me, in.MessageID, change).Context(ctx).Fields("id", "labelIds").Do()
	return sortedAs(s, m, err)
}

// sortedAs is what became of a mail whose labels were changed.
func sortedAs(s *connector.Session, m *gmailapi.Message, err error) (sorted, error) {
	if google.IsGone(err) {
		return sorted{}, noMail(err)
	}
	if err != nil {
		return sorted{}, google.Failure(s, service, canSort, err)
	}
	return sorted{ID: m.Id, Labels: append([]string{}, m.LabelIds...)}, nil
}
