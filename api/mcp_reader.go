package api

import (
	"context"
	"encoding/json"
	"fmt"

	"steward/api/mcp"
	"steward/internal/auth"
	"steward/internal/automation"
	"steward/internal/oauth"
)

// mcpReader shows our MCP server runs as this package's operations do.
type mcpReader struct{ runs *runs }

// pageShape is a page of runs without a cursor: MCP's pages begin behind a run's number.
type pageShape struct {
	Runs []RunSummary `json:"runs" nullable:"false" doc:"Newest first."`
}

// Run shows one run in full.
func (m mcpReader) Run(ctx context.Context, p auth.Principal, id int64) (json.RawMessage, error) {
	row, err := m.runs.find(ctx, p.Owner, id)
	if err != nil {
		return nil, err
	}
	out, err := m.runs.show(ctx, p, row)
	if err != nil {
		return nil, err
	}
	return encoded(out.Body)
}

// Runs shows a page of the owner's runs.
func (m mcpReader) Runs(ctx context.Context, p auth.Principal, f mcp.Filter) (json.RawMessage, error) {
	in := listInput{Status: f.Status, State: f.State, Server: f.Server, Limit: f.Limit}
	if f.Before != 0 {
		in.Cursor = encodeCursor(f.Before)
	}
	page, err := m.runs.page(ctx, p.Owner, &in)
	if err != nil {
		return nil, err
	}
	return encoded(pageShape{Runs: page.Runs})
}

// History shows what happened in a run.
func (m mcpReader) History(ctx context.Context, p auth.Principal, id int64) (json.RawMessage, error) {
	row, err := m.runs.find(ctx, p.Owner, id)
	if err != nil {
		return nil, err
	}
	body, err := m.runs.told(ctx, row)
	if err != nil {
		return nil, err
	}
	return encoded(body)
}

// ConsentLink is a new link for what a call lacks.
func (m mcpReader) ConsentLink(p auth.Principal, need *oauth.ConsentError) (string, error) {
	return m.runs.links.again(p.Owner, automation.Waiting{Provider: need.Provider, Scopes: need.Scopes})
}

// Shapes are the schemas of the OpenAPI document.
func (mcpReader) Shapes() mcp.Shapes {
	return mcp.Shapes{Run: mcp.SchemaOf[Run](), Runs: mcp.SchemaOf[pageShape](), History: mcp.SchemaOf[historyBody]()}
}

func encoded(v any) (json.RawMessage, error) {
	doc, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode answer: %w", err)
	}
	return doc, nil
}
