package gmail

import (
	"context"
	"fmt"
	"time"

	gmailapi "google.golang.org/api/gmail/v1"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/connector/google"
)

type draftResult struct {
	DraftID   string `json:"draftId"`
	MessageID string `json:"messageId" jsonschema:"for GMAIL_GET_EMAIL"`
	ThreadID  string `json:"threadId"`
	Status    string `json:"status" jsonschema:"drafted"`
}

func draftTool() connector.Tool {
	return connector.Typed[sendInput, draftResult]{
		Tool: connector.Tool{
			Name: "GMAIL_CREATE_DRAFT", Title: "Write a draft", Class: automation.Effect,
			Description: "Writes a plain-text mail into the drafts of the Gmail account, for its owner to look at and send. Nobody receives it.",
			Scopes:      canDraft,
		},
		Bounds: boundLetter, Call: createDraft, Probe: probeDraft,
	}.Build()
}

// createDraft makes one draft out of two steps: an empty one, which Gmail gives an id that the ledger notes, and its
// text, which may be put there any number of times. An empty draft that nobody noted harms nobody.
func createDraft(ctx context.Context, s *connector.Session, c connector.Call, in sendInput) (draftResult, error) {
	api, err := users(ctx, s)
	if err != nil {
		return draftResult{}, err
	}
	text, err := write(ctx, api, s, c, in)
	if err != nil {
		return draftResult{}, err
	}
	if c.Receipt != "" {
		outcome, standing, err := settleDraft(ctx, api, c)
		if err != nil {
			return draftResult{}, google.ReadFailure(s, service, canDraft, err)
		}
		if outcome == automation.OutcomeDone {
			return standing, nil
		}
	}
	empty, err := letter{from: s.Account, call: c.ID, written: time.Now()}.message()
	if err != nil {
		return draftResult{}, err
	}
	empty.ThreadId = text.ThreadId
	draft, err := api.Drafts.Create(me, &gmailapi.Draft{Message: empty}).Context(ctx).Fields("id").Do()
	if err != nil {
		return draftResult{}, google.ReadFailure(s, service, canDraft, err)
	}
	if err := c.Note(ctx, receipt{Draft: draft.Id, At: time.Now().Unix()}.String()); err != nil {
		discard(ctx, api, draft.Id)
		return draftResult{}, &connector.Error{Reason: "the draft could not be noted: it was not written", Err: err}
	}
	draft, err = api.Drafts.Update(me, draft.Id, &gmailapi.Draft{Message: text}).Context(ctx).Fields("id", "message(id,threadId)").Do()
	if google.IsGone(err) {
		return draftResult{}, &connector.Error{Ran: true, Reason: "the draft was gone before it was written", Err: err}
	}
	if err != nil {
		return draftResult{}, google.Failure(s, service, canDraft, err)
	}
	return drafted(draft), nil
}

func drafted(d *gmailapi.Draft) draftResult {
	out := draftResult{DraftID: d.Id, Status: "drafted"}
	if d.Message != nil {
		out.MessageID, out.ThreadID = d.Message.Id, d.Message.ThreadId
	}
	return out
}

func probeDraft(ctx context.Context, s *connector.Session, c connector.Call, _ sendInput) (automation.Outcome, draftResult, error) {
	if c.Receipt == "" { // there may be an empty one, and that is all
		return automation.OutcomeFailed, draftResult{}, nil
	}
	api, err := users(ctx, s)
	if err != nil {
		return automation.OutcomeUnknown, draftResult{}, err
	}
	return settleDraft(ctx, api, c)
}

// settleDraft looks at the draft that was noted. With our text it is done; still empty, it is taken away, so that no
// attempt can write it any more; gone, its owner has deleted it or sent it, and nobody can say.
func settleDraft(ctx context.Context, api *gmailapi.UsersService, c connector.Call) (automation.Outcome, draftResult, error) {
	r, err := receiptOf(c)
	if err != nil {
		return automation.OutcomeUnknown, draftResult{}, err
	}
	draft, err := api.Drafts.Get(me, r.Draft).Context(ctx).Format("full").Fields("id", "message(id,threadId,payload/headers)").Do()
	if google.IsGone(err) {
		return automation.OutcomeUnknown, draftResult{}, nil
	}
	if err != nil {
		return automation.OutcomeUnknown, draftResult{}, fmt.Errorf("read draft: %w", err)
	}
	if draft.Message != nil && header(draft.Message, "To")+header(draft.Message, "Cc")+header(draft.Message, "Bcc") != "" {
		return automation.OutcomeDone, drafted(draft), nil
	}
	if err := api.Drafts.Delete(me, r.Draft).Context(ctx).Do(); err != nil && !google.IsGone(err) {
		return automation.OutcomeUnknown, draftResult{}, fmt.Errorf("withdraw draft: %w", err)
	}
	return automation.OutcomeFailed, draftResult{}, nil
}
