package gmail

import (
	"context"
	"fmt"

	"steward/internal/automation"
	"steward/internal/connector"
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
	m, err := api.Messages.Get(me, in.MessageID).Context(ctx).Format("full").Fields("id", "threadId", "labelIds", "internalDate", "payload").Do()
	if isGone(err) {
		return email{}, &connector.Error{Answered: true, Reason: "there is no mail with that id", Err: err}
	}
	if err != nil {
		return email{}, readFailure(s, canRead, err)
	}
	// Google keeps large texts beside the message, under an id of their own.
	c := newContent(func(id string) (string, error) {
		body, err := api.Messages.Attachments.Get(me, in.MessageID, id).Context(ctx).Do()
		if err != nil {
			return "", err
		}
		return body.Data, nil
	})
	text, err := c.text(m.Payload)
	if err != nil {
		return email{}, readFailure(s, canRead, err)
	}
	out := email{
		ID: m.Id, ThreadID: m.ThreadId, From: header(m, "From"), To: header(m, "To"), Cc: header(m, "Cc"), ReplyTo: header(m, "Reply-To"),
		Subject: header(m, "Subject"), Date: received(m), Labels: append([]string{}, m.LabelIds...), Attachments: c.attachments,
	}
	out.Body, out.Cut = cut(text)
	if c.skipped {
		out.Cut = "the mail has more parts than are read"
	}
	return out, nil
}

// longestBody bounds a mail's text in bytes; what reaches the model is bounded further by the executor.
const longestBody = 200 << 10

func cut(text string) (body, note string) {
	if len(text) <= longestBody {
		return text, ""
	}
	end := longestBody
	for end > 0 && text[end]&0xC0 == 0x80 { // not inside of a character
		end--
	}
	return text[:end], fmt.Sprintf("the text has %d bytes, of which the first %d are here", len(text), end)
}
