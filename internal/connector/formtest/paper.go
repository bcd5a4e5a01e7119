// Package formtest is a connector with a form whose system stands on paper: for tests of what stands before connectors.
package formtest

import (
	"context"
	"sync"
	"sync/atomic"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/connector/database"
)

// Paper stands for the databases behind a connector that is named postgres and has the fields of seed 002. The zero
// value lets everybody in.
type Paper struct {
	Opened, Closed, Tested atomic.Int32

	mu      sync.Mutex
	refusal error
	lost    bool
	dials   bool
	rows    []any
	written map[string]string // by call
}

// Refuse lets nobody in: err is what tests and calls are told; nil ends it.
func (p *Paper) Refuse(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refusal = err
}

// Lose has the answers of further writes lost, and nobody can be asked afterwards.
func (p *Paper) Lose() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lost = true
}

// Dial has tests dial the host that was filled in; what comes of it is told as drivers do that keep only the text.
func (p *Paper) Dial() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dials = true
}

// Hold is what queries find.
func (p *Paper) Hold(rows ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rows = rows
}

// Written is how many writes took effect.
func (p *Paper) Written() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.written)
}

// Connector is the connector.
func (p *Paper) Connector() *connector.Connector {
	fields := []connector.Field{
		database.HostField(), database.PortField(5432),
		{Name: database.Name, Label: "Database Name", Kind: connector.Line, Required: true, MaxLength: 63},
		{Name: database.Username, Label: "Username", Kind: connector.Line, Required: true, MaxLength: 63},
		{Name: database.Password, Label: "Password", Kind: connector.Password, Required: true},
	}
	return &connector.Connector{
		Name: "postgres", Title: "PostgreSQL", Description: "Query what is held on paper.",
		Form: &connector.Form{
			Fields: append(append(fields, database.TLSFields()...), database.WritesField()), Place: database.Place,
			Open: func(s connector.Settings, dial connector.Dial) (connector.Link, error) {
				p.Opened.Add(1)
				return &paperLink{p, s, dial}, nil
			},
		},
		Tools: []connector.Tool{paperQuery(), paperWrite()},
	}
}

type paperLink struct {
	*Paper

	settings connector.Settings
	dial     connector.Dial
}

func (l *paperLink) Test(ctx context.Context) error {
	l.Tested.Add(1)
	l.mu.Lock()
	dials := l.dials
	l.mu.Unlock()
	if dials {
		conn, err := l.dial(ctx, "tcp", database.Address(l.settings))
		if err != nil {
			return &connector.Error{Reason: "it cannot be reached"}
		}
		if err := conn.Close(); err != nil {
			return &connector.Error{Reason: "it hung up", Err: err}
		}
	}
	return l.entry()
}

func (l *paperLink) entry() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.refusal
}

func (l *paperLink) Close() { l.Closed.Add(1) }

type paperArguments struct {
	Query string `json:"query" jsonschema:"SQL query"`
}

func paperQuery() connector.Tool {
	return connector.Typed[paperArguments, database.Answer]{
		Tool: connector.Tool{
			Name: "DB_QUERY", Title: "Query {name}", Description: "Query {name}", Class: automation.Read,
			Untrusted: true, Private: true, Answer: "rows",
		},
		Call: func(_ context.Context, s *connector.Session, _ connector.Call, in paperArguments) (database.Answer, error) {
			l := s.Link.(*paperLink)
			if err := l.entry(); err != nil {
				return database.Answer{}, err
			}
			if in.Query == "" {
				return database.Answer{}, &connector.Error{Answered: true, Reason: "there is no statement"}
			}
			l.mu.Lock()
			defer l.mu.Unlock()
			return database.Answer{Columns: []string{"campaign_name", "spend", "clicks"}, Rows: append([]any{}, l.rows...), RowCount: len(l.rows)}, nil
		},
	}.Build()
}

type paperChange struct {
	Affected int `json:"affected" jsonschema:"how many rows"`
}

func paperWrite() connector.Tool {
	return connector.Typed[paperArguments, paperChange]{
		Tool: connector.Tool{
			Name: "DB_WRITE", Title: "Change {name}", Description: "Change data in {name}", Class: automation.Effect, Needs: database.Writes,
		},
		Call: func(_ context.Context, s *connector.Session, c connector.Call, in paperArguments) (paperChange, error) {
			l := s.Link.(*paperLink)
			l.mu.Lock()
			defer l.mu.Unlock()
			if l.written == nil {
				l.written = map[string]string{}
			}
			l.written[c.ID] = in.Query
			if l.lost {
				return paperChange{}, &connector.Error{Ran: true, Reason: "the connection broke"}
			}
			return paperChange{Affected: 1}, nil
		},
	}.Build()
}
