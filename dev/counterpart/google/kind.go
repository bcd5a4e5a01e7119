package google

import (
	"net/http"
	"net/url"
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
	LabelsModify Kind = "messages.modify"
	ThreadsGet   Kind = "threads.get"
	DraftCreate  Kind = "drafts.create"
	DraftUpdate  Kind = "drafts.update"
	DraftSend    Kind = "drafts.send"
	DraftDelete  Kind = "drafts.delete"
	FileIDs      Kind = "files.generateIds"
	FileCreate   Kind = "files.create"
	FileGet      Kind = "files.get"
	EventInsert  Kind = "events.insert"
	EventGet     Kind = "events.get"
	EventPatch   Kind = "events.patch"
	EventDelete  Kind = "events.delete"
	Other        Kind = "other"
)

const (
	mailbox = "/gmail/v1/users/{user}/"
	files   = "/drive/v3/files"
	events  = "/calendar/v3/calendars/{calendar}/events"
)

// kinds are told by method and path, in the patterns of http.ServeMux.
var kinds = map[string]Kind{
	"/o/oauth2/v2/auth": Consent,
	"/oauth2/token":     Exchange,
	"/oauth2/revoke":    Revocation,

	"GET " + mailbox + "messages":              MessagesList,
	"GET " + mailbox + "messages/{id}":         MessagesGet,
	"POST " + mailbox + "messages/send":        MessagesSend,
	"POST " + mailbox + "messages/{id}/modify": LabelsModify,
	"GET " + mailbox + "threads/{id}":          ThreadsGet,
	"POST " + mailbox + "drafts":               DraftCreate,
	"PUT " + mailbox + "drafts/{id}":           DraftUpdate,
	"POST " + mailbox + "drafts/send":          DraftSend,
	"DELETE " + mailbox + "drafts/{id}":        DraftDelete,

	"GET " + files + "/generateIds": FileIDs,
	"POST " + files:                 FileCreate,
	"POST /upload" + files:          FileCreate,
	"GET " + files + "/{id}":        FileGet,

	"POST " + events:             EventInsert,
	"GET " + events + "/{id}":    EventGet,
	"PATCH " + events + "/{id}":  EventPatch,
	"DELETE " + events + "/{id}": EventDelete,
}

// patterns is the way from a request to its pattern. It serves nothing.
var patterns = func() *http.ServeMux {
	mux := http.NewServeMux()
	for pattern := range kinds {
		mux.Handle(pattern, http.NotFoundHandler())
	}
	return mux
}()

// kindOf tells what a request is for. The form is that of a request to the token endpoint.
func kindOf(r *http.Request, form url.Values) Kind {
	_, pattern := patterns.Handler(r)
	kind, known := kinds[pattern]
	switch {
	case !known:
		return Other
	case kind == Exchange && form.Get("grant_type") == "refresh_token":
		return Refresh
	}
	return kind
}
