package registry

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"steward/internal/store"
)

// Known is a tool as people look at it, also while the server is away.
type Known struct {
	Name       string
	Definition json.RawMessage // as last seen
	Pin        string
	State      ToolState
	Gone       bool // the server offers it no more

	Agreed     json.RawMessage // the definition agreed to; nil: none
	AgreedPin  string
	Changes    []Difference // from Agreed to Definition; empty if they are the same, or there is nothing to compare
	ReviewedBy string       // empty: taken as it was when first seen
	ReviewedAt *time.Time
	SeenAt     time.Time

	Override Override
	Hints    Hints // those that count
}

// Inspect reads what is known of a server's tools, in the server's order, those that are gone last.
func (r *Registry) Inspect(ctx context.Context, s *store.MCPServer) ([]Known, error) {
	known, err := readTools(ctx, r.db.Queries, s.ID)
	if err != nil {
		return nil, fmt.Errorf("read known tools: %w", err)
	}
	tools := make([]Known, 0, len(known.tools))
	for _, row := range known.tools {
		t := Known{
			Name: row.Name, Definition: row.Definition, Pin: row.Pin, State: known.state(row.Name, row.Pin), Gone: row.Gone,
			Agreed: row.ApprovedDefinition, AgreedPin: row.ApprovedPin, ReviewedBy: row.ReviewedBy, ReviewedAt: row.ReviewedAt, SeenAt: row.FetchedAt,
			Override: known.overrides[row.Name],
		}
		if t.AgreedPin != "" && t.AgreedPin != t.Pin {
			t.Changes = Compare(t.Agreed, t.Definition)
		}
		t.Hints = annotationsOf(row.Definition).effective(s.Trusted, t.Override)
		tools = append(tools, t)
	}
	slices.SortFunc(tools, func(a, b Known) int {
		x, y := known.tools[a.Name], known.tools[b.Name]
		if x.Gone != y.Gone {
			if x.Gone {
				return 1
			}
			return -1
		}
		return cmp.Or(cmp.Compare(x.Position, y.Position), cmp.Compare(a.Name, b.Name))
	})
	return tools, nil
}

// annotationsOf reads the hints of a definition; what cannot be read says nothing.
func annotationsOf(definition json.RawMessage) Hints {
	var t struct {
		Annotations struct {
			ReadOnly    *bool `json:"readOnlyHint"`
			Destructive *bool `json:"destructiveHint"`
			Idempotent  *bool `json:"idempotentHint"`
			OpenWorld   *bool `json:"openWorldHint"`
		} `json:"annotations"`
	}
	if json.Unmarshal(definition, &t) != nil {
		return Hints{}
	}
	return Hints(t.Annotations)
}
