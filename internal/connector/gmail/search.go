package gmail

import (
	"context"
	"html"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	"golang.org/x/sync/errgroup"
	gmailapi "google.golang.org/api/gmail/v1"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/connector/google"
)

const (
	usualResults = 20
	mostResults  = 50
	// parallel requests of one search: 50 answers take 7 round trips, and the 15,000 quota units that a user has
	// in a minute are out of reach at 5 a mail.
	parallel = 8
)

type searchInput struct {
	Query      string `json:"query,omitempty" jsonschema:"what Gmail's search box takes, e.g. 'invoice from:billing@vendor.example newer_than:7d has:attachment'; all mail if empty; days are those of UTC"`
	MaxResults int    `json:"max_results,omitempty" jsonschema:"how many mails at most, 20 if not given"`
	PageToken  string `json:"page_token,omitempty" jsonschema:"nextPageToken of the answer before, for what follows it"`
}

type searchResult struct {
	Emails        []summary `json:"emails" jsonschema:"the newest first"`
	NextPageToken string    `json:"nextPageToken,omitempty" jsonschema:"present if there are more"`
}

type summary struct {
	ID             string `json:"id" jsonschema:"for GMAIL_GET_EMAIL"`
	ThreadID       string `json:"threadId"`
	From           string `json:"from"`
	To             string `json:"to,omitempty"`
	Subject        string `json:"subject"`
	Date           string `json:"date" jsonschema:"when Gmail got it, RFC 3339 in UTC"`
	Snippet        string `json:"snippet" jsonschema:"how its text begins"`
	HasAttachments bool   `json:"hasAttachments" jsonschema:"whether it is built to carry attachments"`
}

func searchTool() connector.Tool {
	return connector.Typed[searchInput, searchResult]{
		Tool: connector.Tool{
			Name: "GMAIL_SEARCH_EMAILS", Title: "Search mail", Class: automation.Read, Untrusted: true, Private: true,
			Description: "Searches the Gmail account and lists what it finds without the texts. Read a mail with GMAIL_GET_EMAIL.",
			Scopes:      canRead,
		},
		Bounds: func(p map[string]*jsonschema.Schema) {
			p["max_results"].Minimum, p["max_results"].Maximum = jsonschema.Ptr(1.0), jsonschema.Ptr(float64(mostResults))
		},
		Call: search,
	}.Build()
}

func search(ctx context.Context, s *connector.Session, _ connector.Call, in searchInput) (searchResult, error) {
	api, err := users(ctx, s)
	if err != nil {
		return searchResult{}, err
	}
	most := in.MaxResults
	if most <= 0 || most > mostResults {
		most = usualResults
	}
	list, err := api.Messages.List(me).Context(ctx).Q(inSeconds(in.Query, time.Now())).MaxResults(int64(most)).PageToken(in.PageToken).
		Fields("messages/id", "nextPageToken").Do()
	if err != nil {
		return searchResult{}, google.ReadFailure(s, service, canRead, err)
	}
	found := make([]*gmailapi.Message, len(list.Messages))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for i, m := range list.Messages {
		group.Go(func() (err error) {
			found[i], err = api.Messages.Get(me, m.Id).Context(ctx).Format("metadata").MetadataHeaders("From", "To", "Subject").
				Fields("id", "threadId", "snippet", "internalDate", "payload(mimeType,headers)").Do()
			if google.IsGone(err) { // deleted since it was found
				return nil
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return searchResult{}, google.ReadFailure(s, service, canRead, err)
	}
	out := searchResult{Emails: []summary{}, NextPageToken: list.NextPageToken}
	for _, m := range found {
		if m != nil {
			out.Emails = append(out.Emails, summarise(m))
		}
	}
	return out, nil
}

func summarise(m *gmailapi.Message) summary {
	return summary{
		ID: m.Id, ThreadID: m.ThreadId, From: header(m, "From"), To: header(m, "To"), Subject: header(m, "Subject"), Date: received(m),
		Snippet:        html.UnescapeString(m.Snippet), // Gmail escapes it
		HasAttachments: m.Payload != nil && m.Payload.MimeType == "multipart/mixed",
	}
}

// received is the time that Gmail sorts by; the Date header is the sender's word.
func received(m *gmailapi.Message) string {
	return time.UnixMilli(m.InternalDate).UTC().Format(time.RFC3339)
}
