package gmail

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	gmailapi "google.golang.org/api/gmail/v1"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/connector/google"
)

// sendInput has the names of seed 002 beside those that people expect.
type sendInput struct {
	To             []string `json:"to,omitempty" jsonschema:"mail addresses of the receivers"`
	RecipientEmail string   `json:"recipient_email,omitempty" jsonschema:"mail address of the only receiver, in place of to"`
	Cc             []string `json:"cc,omitempty" jsonschema:"mail addresses that get a copy"`
	Bcc            []string `json:"bcc,omitempty" jsonschema:"mail addresses that get a copy unseen by the others"`
	Subject        string   `json:"subject" jsonschema:"one line"`
	Body           string   `json:"body" jsonschema:"plain text"`
	ReplyTo        string   `json:"reply_to_message_id,omitempty" jsonschema:"id of the mail that this one answers, to stay in its conversation; the receivers must be named all the same"`
}

type sendResult struct {
	MessageID string `json:"messageId" jsonschema:"for GMAIL_GET_EMAIL"`
	ThreadID  string `json:"threadId"`
	Status    string `json:"status" jsonschema:"sent"`
}

func sendTool() connector.Tool {
	return connector.Typed[sendInput, sendResult]{
		Tool: connector.Tool{
			Name: "GMAIL_SEND_EMAIL", Title: "Send a mail", Class: automation.Effect,
			Description: "Sends a plain-text mail from the connected Gmail account at once. It cannot be taken back.",
			Addressees:  []string{"to", "recipient_email", "cc", "bcc"}, Scopes: canSend,
		},
		Bounds: boundLetter, Call: send, Probe: probe,
	}.Build()
}

func boundLetter(p map[string]*jsonschema.Schema) {
	p["subject"].MaxLength, p["body"].MaxLength = jsonschema.Ptr(500), jsonschema.Ptr(500_000)
	for _, list := range []string{"to", "cc", "bcc"} {
		p[list].MaxItems = jsonschema.Ptr(mostRecipients)
	}
}

// send makes a mail exactly once out of two steps that Gmail offers: a draft, which anybody may make twice
// without harm, and the sending of that draft, which uses it up. Between them the ledger notes the draft, so
// that whoever comes later can take it away and see what became of it.
func send(ctx context.Context, s *connector.Session, c connector.Call, in sendInput) (sendResult, error) {
	api, err := users(ctx, s)
	if err != nil {
		return sendResult{}, err
	}
	message, err := write(ctx, api, s, c, in)
	if err != nil {
		return sendResult{}, err
	}
	if c.Receipt != "" { // an earlier attempt came as far as sending, and someone says to send again
		outcome, standing, err := settle(ctx, api, s, c)
		if err != nil {
			return sendResult{}, google.ReadFailure(s, service, canSend, err)
		}
		if outcome == automation.OutcomeDone {
			return standing, nil
		}
	}
	if !s.Grants(canDraft...) {
		return sendDirectly(ctx, api, s, c, message)
	}
	draft, err := api.Drafts.Create(me, &gmailapi.Draft{Message: message}).Context(ctx).Fields("id", "message(id,threadId)").Do()
	if err != nil {
		return sendResult{}, google.ReadFailure(s, service, canDraft, err) // a draft that was made all the same harms nobody
	}
	r := receipt{Draft: draft.Id, At: time.Now().Unix()}
	if draft.Message != nil {
		r.Thread = draft.Message.ThreadId
	}
	if err := c.Note(ctx, r.String()); err != nil {
		discard(ctx, api, draft.Id)
		return sendResult{}, &connector.Error{Reason: "the draft could not be noted: it was not sent", Err: err}
	}
	sent, err := api.Drafts.Send(me, &gmailapi.Draft{Id: draft.Id}).Context(ctx).Fields("id", "threadId").Do()
	if google.IsGone(err) {
		// Another attempt took the draft away, or sent it, or a person did either: the probe finds out.
		return sendResult{}, &connector.Error{Ran: true, Reason: "the draft was gone before it was sent", Err: err}
	}
	if err != nil {
		failure := google.Failure(s, service, canSend, err)
		if failure.Answered {
			discard(ctx, api, draft.Id)
		}
		return sendResult{}, failure
	}
	return sentAs(sent), nil
}

// sendDirectly sends without a draft, for an account that has granted gmail.send alone. A lost answer can be
// cleared up only if the sent mail may be read.
func sendDirectly(ctx context.Context, api *gmailapi.UsersService, s *connector.Session, c connector.Call, message *gmailapi.Message) (sendResult, error) {
	if err := c.Note(ctx, receipt{At: time.Now().Unix()}.String()); err != nil {
		return sendResult{}, &connector.Error{Reason: "the mail could not be noted: it was not sent", Err: err}
	}
	sent, err := api.Messages.Send(me, message).Context(ctx).Fields("id", "threadId").Do()
	if err != nil {
		return sendResult{}, google.Failure(s, service, canSend, err)
	}
	return sentAs(sent), nil
}

func sentAs(m *gmailapi.Message) sendResult {
	return sendResult{MessageID: m.Id, ThreadID: m.ThreadId, Status: "sent"}
}

// write makes the mail. The error says what the model should do better.
func write(ctx context.Context, api *gmailapi.UsersService, s *connector.Session, c connector.Call, in sendInput) (*gmailapi.Message, error) {
	l, err := letterOf(s, c, in)
	if err != nil {
		return nil, &connector.Error{Answered: true, Reason: err.Error()}
	}
	thread := ""
	if in.ReplyTo != "" {
		if thread, err = l.answer(ctx, api, s, in.ReplyTo); err != nil {
			return nil, err
		}
	}
	message, err := l.message()
	if err != nil {
		return nil, err
	}
	message.ThreadId = thread
	return message, nil
}

// message is the letter as Gmail takes it.
func (l letter) message() (*gmailapi.Message, error) {
	text, err := l.bytes()
	if err != nil {
		return nil, &connector.Error{Reason: "the mail could not be written", Err: err}
	}
	return &gmailapi.Message{Raw: base64.URLEncoding.EncodeToString(text)}, nil
}

func letterOf(s *connector.Session, c connector.Call, in sendInput) (l letter, err error) {
	l = letter{from: s.Account, call: c.ID, body: in.Body, written: time.Now()}
	to := in.To
	if one := strings.TrimSpace(in.RecipientEmail); one != "" {
		to = append([]string{one}, to...)
	}
	if l.to, err = addresses("to", to); err != nil {
		return l, err
	}
	if l.cc, err = addresses("cc", in.Cc); err != nil {
		return l, err
	}
	if l.bcc, err = addresses("bcc", in.Bcc); err != nil {
		return l, err
	}
	switch n := len(l.to) + len(l.cc) + len(l.bcc); {
	case n == 0:
		return l, errors.New("to: a receiver is missing")
	case n > mostRecipients:
		return l, errors.New("to: there are too many receivers for one mail")
	}
	l.subject, err = oneLine("subject", in.Subject)
	return l, err
}
