package registry

import (
	"context"
	"fmt"
	"time"

	"steward/internal/store"
)

// ToolState says whether a tool may be called with the definition that the server offers.
type ToolState string

// The states.
const (
	Approved    ToolState = "approved"    // somebody agreed to this definition, or it was the first that was seen
	Quarantined ToolState = "quarantined" // nobody has looked at it yet
	Rejected    ToolState = "rejected"    // somebody has, and does not want it
)

// Override is what a server's owner says of one of its tools. It wins over what the server says.
type Override struct {
	ReadOnly    *bool // nil: as the server says
	Destructive *bool
	Idempotent  *bool
	OpenWorld   *bool
	Disabled    bool
	Timeout     time.Duration // of one call; 0: the server's
}

// knownTools is what the database knows of a server's tools. It is shared: do not change it.
type knownTools struct {
	tools     map[string]*store.ServerTool
	overrides map[string]Override
}

func (r *Registry) knownTools(ctx context.Context, server int64) (*knownTools, error) {
	known, err := remembered(&r.memory, func(m *memory) *map[int64]*knownTools { return &m.tools }, server, func() (*knownTools, error) {
		return readTools(ctx, r.db.Queries, server)
	})
	if err != nil {
		return nil, fmt.Errorf("read known tools: %w", err)
	}
	return known, nil
}

func readTools(ctx context.Context, q *store.Queries, server int64) (*knownTools, error) {
	rows, err := q.ListServerTools(ctx, server)
	if err != nil {
		return nil, err
	}
	said, err := q.ListOverrides(ctx, server)
	if err != nil {
		return nil, err
	}
	k := &knownTools{tools: map[string]*store.ServerTool{}, overrides: map[string]Override{}}
	for _, t := range rows {
		k.tools[t.Name] = t
	}
	for _, o := range said {
		k.overrides[o.Tool] = overrideOf(o)
	}
	return k, nil
}

func overrideOf(o *store.ToolOverride) Override {
	return Override{
		ReadOnly: o.ReadOnly, Destructive: o.Destructive, Idempotent: o.Idempotent, OpenWorld: o.OpenWorld, Disabled: !o.Enabled,
		Timeout: time.Duration(o.TimeoutMs) * time.Millisecond,
	}
}

// state is whether a tool may be called with this definition. Users of one server may be offered different ones:
// what counts is the pin that somebody agreed to.
func (k *knownTools) state(name, pin string) ToolState {
	t := k.tools[name]
	switch {
	case t == nil:
		return Quarantined
	case t.ApprovedPin == pin:
		return Approved
	case t.Pin == pin:
		return ToolState(t.State)
	}
	return Quarantined
}

// has says that the database holds the list as it is.
func (k *knownTools) has(l *listed) bool {
	offered := 0
	for _, t := range k.tools {
		if !t.Gone {
			offered++
		}
	}
	if offered != len(l.tools) {
		return false
	}
	for i, t := range l.tools {
		row := k.tools[t.Name]
		if row == nil || row.Gone || row.Pin != l.pins[i] || int(row.Position) != i {
			return false
		}
	}
	return true
}

// names says that every tool of the list is known, with whatever definition.
func (k *knownTools) names(l *listed) bool {
	for _, t := range l.tools {
		if k.tools[t.Name] == nil {
			return false
		}
	}
	return true
}
