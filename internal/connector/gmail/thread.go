package gmail

import (
	"context"
	"fmt"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/connector/google"
)

type threadInput struct {
	ThreadID string `json:"thread_id" jsonschema:"threadId of a mail, from GMAIL_SEARCH_EMAILS or GMAIL_GET_EMAIL"`
}

type thread struct {
	ID     string  `json:"id"`
	Emails []email `json:"emails" jsonschema:"the oldest first"`
	Cut    string  `json:"cut,omitempty" jsonschema:"present if something is missing, and says what"`
}

func threadTool() connector.Tool {
	return connector.Typed[threadInput, thread]{
		Tool: connector.Tool{
			Name: "GMAIL_GET_THREAD", Title: "Read a conversation", Class: automation.Read, Untrusted: true, Private: true,
			Description: "Reads the mails of one conversation with their texts. Of a long one, it reads the newest mails.",
			Scopes:      canRead,
		},
		Call: getThread,
	}.Build()
}

// longestThread is how many mails of a conversation are read.
const longestThread = 50

func getThread(ctx context.Context, s *connector.Session, _ connector.Call, in threadInput) (thread, error) {
	api, err := users(ctx, s)
	if err != nil {
		return thread{}, err
	}
	found, err := api.Threads.Get(me, in.ThreadID).Context(ctx).Format("full").
		Fields("id", "messages(id,threadId,labelIds,internalDate,payload)").Do()
	if google.IsGone(err) {
		return thread{}, &connector.Error{Answered: true, Reason: "there is no conversation with that id", Err: err}
	}
	if err != nil {
		return thread{}, google.ReadFailure(s, service, canRead, err)
	}
	out := thread{ID: found.Id, Emails: []email{}}
	mails := found.Messages[max(0, len(found.Messages)-longestThread):]
	room := google.LongestText
	for i := len(mails) - 1; i >= 0 && room > 0; i-- { // the newest have the first claim on the room
		m, err := read(contentOf(ctx, api, mails[i].Id), mails[i])
		if err != nil {
			return thread{}, google.ReadFailure(s, service, canRead, err)
		}
		room -= len(m.Body)
		out.Emails = append([]email{m}, out.Emails...)
	}
	if n := len(found.Messages); n > len(out.Emails) {
		out.Cut = fmt.Sprintf("the conversation has %d mails, of which the newest %d are here", n, len(out.Emails))
	}
	return out, nil
}
