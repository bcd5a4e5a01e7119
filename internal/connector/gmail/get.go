package gmail

import (
	"context"

	gmailapi "google.golang.org/api/gmail/v1"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/connector/google"
)

type getInput struct {
	MessageID string `json:"message_id" jsonschema:"id of a mail, from GMAIL_SEARCH_EMAILS"`
}

type email struct {
	ID          string       `json:"id"`
	ThreadID    string       `json:"threadId"`
	From        string       `json:"from"`
	To          string       `json:"to,omitempty"`
	Cc          string       `json:"cc,omitempty"`
	ReplyTo     string       `json:"replyTo,omitempty"`
	Subject     string       `json:"subject"`
	Date        string       `json:"date" jsonschema:"when Gmail got it, RFC 3339 in UTC"`
	Labels      []string     `json:"labels"`
	Body        string       `json:"body" jsonschema:"the text; of a mail that has only HTML, the text in it"`
	Cut         string       `json:"cut,omitempty" jsonschema:"present if something is missing, and says what"`
	Attachments []attachment `json:"attachments"`
}

type attachment struct {
	Name string `json:"name"`
	Type string `json:"type"`
	Size int64  `json:"size" jsonschema:"bytes"`
}

func getTool() connector.Tool {
	return connector.Typed[getInput, email]{
		Tool: connector.Tool{
			Name: "GMAIL_GET_EMAIL", Title: "Read a mail", Class: automation.Read, Untrusted: true, Private: true,
			Description: "Reads one mail: who, when, its text, and the names of its attachments without their content.",
			Scopes:      canRead,
		},
		Call: get,
	}.Build()
}

func get(ctx context.Context, s *connector.Session, _ connector.Call, in getInput) (email, error) {
	api, err := users(ctx, s)
	if err != nil {
		return email{}, err
	}
	m, err := message(ctx, api, s, in.MessageID)
	if err != nil {
		return email{}, err
	}
	out, err := read(contentOf(ctx, api, m.Id), m)
	if err != nil {
		return email{}, google.ReadFailure(s, service, canRead, err)
	}
	return out, nil
}

// message is a mail with all its parts.
func message(ctx context.Context, api *gmailapi.UsersService, s *connector.Session, id string) (*gmailapi.Message, error) {
	m, err := api.Messages.Get(me, id).Context(ctx).Format("full").Fields("id", "threadId", "labelIds", "internalDate", "payload").Do()
	if google.IsGone(err) {
		return nil, noMail(err)
	}
	if err != nil {
		return nil, google.ReadFailure(s, service, canRead, err)
	}
	return m, nil
}

func noMail(err error) *connector.Error {
	return &connector.Error{Answered: true, Reason: "there is no mail with that id", Err: err}
}

// contentOf fetches what Google keeps beside a mail, under ids of their own: large texts, and files.
func contentOf(ctx context.Context, api *gmailapi.UsersService, mail string) *content {
	return newContent(func(id string) (string, error) {
		body, err := api.Messages.Attachments.Get(me, mail, id).Context(ctx).Do()
		if err != nil {
			return "", err
		}
		return body.Data, nil
	})
}

// read takes a mail apart.
func read(c *content, m *gmailapi.Message) (email, error) {
	text, err := c.text(m.Payload)
	if err != nil {
		return email{}, err
	}
	out := email{
		ID: m.Id, ThreadID: m.ThreadId, From: header(m, "From"), To: header(m, "To"), Cc: header(m, "Cc"), ReplyTo: header(m, "Reply-To"),
		Subject: header(m, "Subject"), Date: received(m), Labels: append([]string{}, m.LabelIds...), Attachments: c.attachments,
	}
	out.Body, out.Cut = google.CutText(text)
	if c.skipped {
		out.Cut = "the mail has more parts than are read"
	}
	return out, nil
}
