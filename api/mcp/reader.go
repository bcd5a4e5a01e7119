package mcp

import (
	"context"
	"encoding/json"

	"steward/internal/auth"
	"steward/internal/oauth"
)

// Reader shows runs as the HTTP API does, as JSON. It is package api's, which imports this one. What does not exist
// and what belongs to somebody else is the same NotFound.
type Reader interface {
	// Run is the answer of GET /automation/run/{id}.
	Run(ctx context.Context, p auth.Principal, id int64) (json.RawMessage, error)
	// Runs is {"runs": […]}, newest first.
	Runs(ctx context.Context, p auth.Principal, f Filter) (json.RawMessage, error)
	// History is the answer of GET /automation/run/{id}/history.
	History(ctx context.Context, p auth.Principal, id int64) (json.RawMessage, error)
	// ConsentLink is where p's user consents, "" if nobody can be asked any more.
	ConsentLink(p auth.Principal, need *oauth.ConsentError) (string, error)
	// Shapes are the JSON Schemas of these three.
	Shapes() Shapes
}

// Filter chooses runs.
type Filter struct {
	Status, State string // "": all
	Server        int64  // 0: all
	Before        int64  // only runs with smaller numbers; 0: all
	Limit         int32
}

// Shapes are JSON Schemas (2020-12) of what a Reader returns.
type Shapes struct{ Run, Runs, History json.RawMessage }
