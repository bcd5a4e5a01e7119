package gmail

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	gmailapi "google.golang.org/api/gmail/v1"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/connector/google"
)

// receipt is noted in the ledger before a mail leaves.
type receipt struct {
	Draft  string `json:"draft,omitempty"` // empty: sent without one
	Thread string `json:"thread,omitempty"`
	At     int64  `json:"at"` // seconds since 1970
}

// String is what the ledger keeps.
func (r receipt) String() string {
	doc, err := json.Marshal(r)
	if err != nil {
		panic(err) // strings and a number have a form in JSON
	}
	return string(doc)
}

func receiptOf(c connector.Call) (r receipt, err error) {
	if err := json.Unmarshal([]byte(c.Receipt), &r); err != nil {
		return r, fmt.Errorf("decode receipt: %w", err)
	}
	return r, nil
}

// probe says what became of a mail.
func probe(ctx context.Context, s *connector.Session, c connector.Call, _ sendInput) (automation.Outcome, sendResult, error) {
	if c.Receipt == "" { // the note comes before anything leaves, and the attempt that could have made it has lost its fence
		return automation.OutcomeFailed, sendResult{}, nil
	}
	api, err := users(ctx, s)
	if err != nil {
		return automation.OutcomeUnknown, sendResult{}, err
	}
	return settle(ctx, api, s, c)
}

// settle takes the draft away, so that no attempt at it can send it any more, and then looks for the mail
// among those sent. Found: it is done. Not found, and the draft was still there: it never happened. Not found,
// and the draft was gone: a person may have deleted it, or the mail after it was sent; nobody can say.
//
// Sending the same draft again would do as well while nobody touches it. But a draft stands in the account
// where its owner may edit it, and what is sent must be what was approved.
func settle(ctx context.Context, api *gmailapi.UsersService, s *connector.Session, c connector.Call) (automation.Outcome, sendResult, error) {
	r, err := receiptOf(c)
	if err != nil {
		return automation.OutcomeUnknown, sendResult{}, err
	}
	withdrawn := false
	if r.Draft != "" {
		err := api.Drafts.Delete(me, r.Draft).Context(ctx).Do()
		if err != nil && !google.IsGone(err) {
			return automation.OutcomeUnknown, sendResult{}, fmt.Errorf("withdraw draft: %w", err)
		}
		withdrawn = err == nil
	}
	if s.Grants(canRead...) {
		found, err := sentMail(ctx, api, c.ID, messageID(c.ID, s.Account), r)
		if err != nil {
			return automation.OutcomeUnknown, sendResult{}, err
		}
		if found != nil {
			return automation.OutcomeDone, sentAs(found), nil
		}
	}
	if withdrawn {
		return automation.OutcomeFailed, sendResult{}, nil
	}
	return automation.OutcomeUnknown, sendResult{}, nil
}

// leeway is how far Gmail's clock may be behind ours.
const leeway = 5 * time.Minute

// sentMail looks for our mail: in the draft's conversation, where Gmail documents it to stay under an id of
// its own (the emulator keeps the draft's), and among those sent since.
func sentMail(ctx context.Context, api *gmailapi.UsersService, call, id string, r receipt) (*gmailapi.Message, error) {
	if r.Thread != "" {
		thread, err := api.Threads.Get(me, r.Thread).Context(ctx).Format("metadata").MetadataHeaders("Message-ID", callHeader).
			Fields("messages(id,threadId,labelIds,payload/headers)").Do()
		if err != nil && !google.IsGone(err) { // a conversation of nothing but the draft goes with it
			return nil, fmt.Errorf("read conversation: %w", err)
		}
		if err == nil {
			for _, m := range thread.Messages {
				if isOurs(m, call, id) {
					return m, nil
				}
			}
		}
	}
	list, err := api.Messages.List(me).Context(ctx).LabelIds("SENT").Q(fmt.Sprintf("after:%d", time.Unix(r.At, 0).Add(-leeway).Unix())).
		MaxResults(100).Fields("messages/id").Do()
	if err != nil {
		return nil, fmt.Errorf("list sent mail: %w", err)
	}
	for _, one := range list.Messages {
		m, err := api.Messages.Get(me, one.Id).Context(ctx).Format("metadata").MetadataHeaders("Message-ID", callHeader).
			Fields("id", "threadId", "labelIds", "payload/headers").Do()
		if google.IsGone(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read sent mail: %w", err)
		}
		if isOurs(m, call, id) {
			return m, nil
		}
	}
	return nil, nil
}

// isOurs knows a sent mail by our header, which Gmail keeps and the emulator does not show, or by our
// Message-ID, which the emulator keeps and Gmail may replace. Nobody else can guess either: the call's id is
// random.
func isOurs(m *gmailapi.Message, call, id string) bool {
	sent := false
	for _, label := range m.LabelIds {
		sent = sent || label == "SENT"
	}
	return sent && (header(m, callHeader) == call || strings.EqualFold(header(m, "Message-ID"), id))
}

// discardTime bounds the removal of a draft that nobody will send.
const discardTime = 5 * time.Second

// discard removes our own draft, if it can be had: one that is left behind harms nobody.
func discard(ctx context.Context, api *gmailapi.UsersService, draft string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), discardTime)
	defer cancel()
	_ = api.Drafts.Delete(me, draft).Context(ctx).Do() // see above
}
