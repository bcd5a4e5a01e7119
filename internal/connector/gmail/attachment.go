package gmail

import (
	"context"
	"fmt"

	"github.com/google/jsonschema-go/jsonschema"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/connector/google"
)

// attachmentInput counts, since Gmail's own ids of attachments change with every request.
type attachmentInput struct {
	MessageID string `json:"message_id" jsonschema:"id of the mail"`
	Number    int    `json:"number" jsonschema:"which attachment: 1 is the first that GMAIL_GET_EMAIL lists"`
}

type attached struct {
	Name string `json:"name"`
	google.Content
}

func attachmentTool() connector.Tool {
	return connector.Typed[attachmentInput, attached]{
		Tool: connector.Tool{
			Name: "GMAIL_GET_ATTACHMENT", Title: "Read an attachment", Class: automation.Read, Untrusted: true, Private: true,
			Description: "Reads one attachment of a mail: a text as text, any other file up to 512 KiB in base64.",
			Scopes:      canRead,
		},
		Bounds: func(p map[string]*jsonschema.Schema) { p["number"].Minimum = jsonschema.Ptr(1.0) },
		Call:   getAttachment,
	}.Build()
}

func getAttachment(ctx context.Context, s *connector.Session, _ connector.Call, in attachmentInput) (attached, error) {
	api, err := users(ctx, s)
	if err != nil {
		return attached{}, err
	}
	m, err := message(ctx, api, s, in.MessageID)
	if err != nil {
		return attached{}, err
	}
	c := contentOf(ctx, api, m.Id)
	if _, err := c.text(m.Payload); err != nil {
		return attached{}, google.ReadFailure(s, service, canRead, err)
	}
	if in.Number < 1 || in.Number > len(c.files) {
		return attached{}, &connector.Error{Answered: true, Reason: fmt.Sprintf("number: the mail has %d attachments", len(c.files))}
	}
	about, file := c.attachments[in.Number-1], c.files[in.Number-1]
	if !google.Readable(about.Type, about.Size) {
		return attached{}, google.TooLarge(about.Size)
	}
	raw, err := c.bytes(file)
	if err != nil {
		return attached{}, google.ReadFailure(s, service, canRead, err)
	}
	kind := about.Type
	if said := headerOf(file, "Content-Type"); said != "" { // with the charset
		kind = said
	}
	out := attached{Name: about.Name}
	out.Content, err = google.ContentOf(kind, raw)
	return out, err
}
