package google

import (
	"net/http"
	"net/url"
	"strings"
)

// Kind is a kind of request.
type Kind string

// The kinds that are told apart; everything else is Other.
const (
	Consent      Kind = "consent page"
	Exchange     Kind = "code for tokens"
	Refresh      Kind = "refresh"
	Revocation   Kind = "revoke"
	MessagesList Kind = "messages.list"
	MessagesGet  Kind = "messages.get"
	MessagesSend Kind = "messages.send"
	ThreadsGet   Kind = "threads.get"
	DraftCreate  Kind = "drafts.create"
	DraftSend    Kind = "drafts.send"
	DraftDelete  Kind = "drafts.delete"
	Other        Kind = "other"
)

// gmailKinds are told by method and path below /gmail/v1/users/{id}/. A star is an id.
var gmailKinds = map[string]Kind{
	"GET messages": MessagesList, "GET messages/*": MessagesGet, "POST messages/send": MessagesSend, "GET threads/*": ThreadsGet,
	"POST drafts": DraftCreate, "POST drafts/send": DraftSend, "DELETE drafts/*": DraftDelete,
}

// kindOf tells what a request is for. The form is that of a request to the token endpoint.
func kindOf(r *http.Request, form url.Values) Kind {
	switch r.URL.Path {
	case "/o/oauth2/v2/auth":
		return Consent
	case "/oauth2/revoke":
		return Revocation
	case "/oauth2/token":
		if form.Get("grant_type") == "refresh_token" {
			return Refresh
		}
		return Exchange
	}
	rest, ok := strings.CutPrefix(r.URL.Path, "/gmail/v1/users/")
	_, rest, found := strings.Cut(rest, "/")
	if !ok || !found {
		return Other
	}
	if kind, known := gmailKinds[r.Method+" "+rest]; known {
		return kind
	}
	resource, _, _ := strings.Cut(rest, "/")
	if kind, known := gmailKinds[r.Method+" "+resource+"/*"]; known && strings.Count(rest, "/") == 1 {
		return kind
	}
	return Other
}
