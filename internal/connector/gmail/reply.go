package gmail

import (
	"context"
	"regexp"

	gmailapi "google.golang.org/api/gmail/v1"

	"steward/internal/connector"
	"steward/internal/connector/google"
	"steward/internal/oauth"
)

// identifier finds Message-IDs in what a stranger has written.
var identifier = regexp.MustCompile(`<[!-;=?-~]{1,250}>`)

// mostReferences bounds what a reply says of the conversation before it, the newest kept (RFC 5322 §3.6.4).
const mostReferences = 20

// answer makes the letter one that answers a mail, and returns the thread that it belongs to.
func (l *letter) answer(ctx context.Context, api *gmailapi.UsersService, s *connector.Session, id string) (thread string, err error) {
	if !s.Grants(canRead...) {
		need := &oauth.ConsentError{Provider: google.Provider, Scopes: canRead, Version: s.Version, Reason: "Gmail was not granted the reading of the mail to answer"}
		return "", &connector.Error{Reason: need.Reason, Err: need}
	}
	m, err := api.Messages.Get(me, id).Context(ctx).Format("metadata").MetadataHeaders("Message-ID", "References").
		Fields("threadId", "payload/headers").Do()
	if google.IsGone(err) {
		return "", &connector.Error{Answered: true, Reason: "reply_to_message_id: there is no mail with that id", Err: err}
	}
	if err != nil {
		return "", google.ReadFailure(s, service, canRead, err)
	}
	l.inReplyTo = identifier.FindString(header(m, "Message-ID"))
	l.references = identifier.FindAllString(header(m, "References"), -1)
	if l.inReplyTo != "" {
		l.references = append(l.references, l.inReplyTo)
	}
	l.references = l.references[max(0, len(l.references)-mostReferences):]
	return m.ThreadId, nil
}
