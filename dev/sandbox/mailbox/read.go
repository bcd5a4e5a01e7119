package mailbox

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"steward/dev/sandbox"
)

const (
	defaultLimit = 25
	maxLimit     = 100
	snippetBytes = 160
)

type searchInput struct {
	Query   string `json:"query,omitempty" jsonschema:"words that must all occur in subject or body; plural and singular find each other"`
	After   string `json:"after,omitempty" jsonschema:"first day, YYYY-MM-DD in UTC, included"`
	Before  string `json:"before,omitempty" jsonschema:"day after the last one, YYYY-MM-DD in UTC, not included"`
	From    string `json:"from,omitempty" jsonschema:"part of the sender's name or address"`
	Subject string `json:"subject,omitempty" jsonschema:"part of the subject"`
	Limit   int    `json:"limit,omitempty" jsonschema:"at most this many mails, newest first; 25 if not given"`
}

type searchOutput struct {
	Emails []summary `json:"emails" jsonschema:"newest first"`
	Total  int       `json:"total" jsonschema:"how many mails match, also beyond the limit"`
}

type summary struct {
	ID      string    `json:"id"`
	From    string    `json:"from"`
	To      string    `json:"to"`
	Subject string    `json:"subject"`
	Date    time.Time `json:"date"`
	Snippet string    `json:"snippet" jsonschema:"how the body begins"`
}

type getInput struct {
	ID string `json:"id" jsonschema:"id from search_emails"`
}

type getOutput struct {
	ID string `json:"id"`
	message
}

func (m *mailbox) addReadTools(server *mcp.Server) {
	readOnly := func(title string) *mcp.ToolAnnotations {
		return &mcp.ToolAnnotations{
			Title: title, ReadOnlyHint: true, IdempotentHint: true,
			DestructiveHint: new(false), OpenWorldHint: new(true), // anybody may write to a mailbox
		}
	}
	mcp.AddTool(server, &mcp.Tool{
		Name: "search_emails", Title: "Search emails",
		Description: "Find emails by words, sender, subject and day. Returns summaries; use get_email for a body.",
		Annotations: readOnly("Search emails"),
		InputSchema: sandbox.InputSchema[searchInput](func(p map[string]*jsonschema.Schema) {
			p["limit"].Minimum, p["limit"].Maximum = new(1.0), new(float64(maxLimit))
		}),
	}, m.search)
	mcp.AddTool(server, &mcp.Tool{
		Name: "get_email", Title: "Read an email",
		Description: "Read one email with its whole body as plain text.",
		Annotations: readOnly("Read an email"),
	}, m.get)
}

func (m *mailbox) search(_ context.Context, _ *mcp.CallToolRequest, in searchInput) (*mcp.CallToolResult, searchOutput, error) {
	q := query{words: words(in.Query), from: strings.ToLower(in.From), subject: strings.ToLower(in.Subject)}
	var err error
	if q.after, err = day("after", in.After); err != nil {
		return nil, searchOutput{}, err
	}
	if q.before, err = day("before", in.Before); err != nil {
		return nil, searchOutput{}, err
	}
	found, err := m.index.search(q)
	if err != nil {
		return nil, searchOutput{}, err
	}
	limit := in.Limit
	if limit == 0 {
		limit = defaultLimit
	}
	out := searchOutput{Emails: []summary{}, Total: len(found)}
	for _, e := range found[:min(limit, len(found))] {
		out.Emails = append(out.Emails, summary{
			ID: e.id, From: e.message.From, To: e.message.To, Subject: e.message.Subject, Date: e.message.Date,
			Snippet: cut(strings.Join(strings.Fields(cut(e.message.Body, 4*snippetBytes)), " "), snippetBytes),
		})
	}
	return nil, out, nil
}

func (m *mailbox) get(_ context.Context, _ *mcp.CallToolRequest, in getInput) (*mcp.CallToolResult, getOutput, error) {
	e, err := m.index.get(in.ID)
	if err != nil {
		return nil, getOutput{}, err
	}
	if e == nil {
		return nil, getOutput{}, fmt.Errorf("there is no email with the id %q", in.ID)
	}
	return nil, getOutput{ID: e.id, message: *e.message}, nil
}

func day(name, value string) (time.Time, error) {
	if value == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.DateOnly, value)
	if err != nil {
		return time.Time{}, fmt.Errorf("%s must be a day such as 2026-11-21", name)
	}
	return t, nil
}
