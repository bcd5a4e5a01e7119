package activities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/store"
	"steward/internal/tool"
)

// ResolveTools fixes what the run may call (names, pins, classes) and sets it running. It is idempotent:
// the first catalogue stands. A source that the run was made for and that needs a person first parks the run.
func (r *Run) ResolveTools(ctx context.Context, in automation.ResolveInput) (automation.ResolveResult, error) {
	defer heartbeat(ctx)()
	out, err := r.resolveTools(ctx, in)
	return out, r.end(ctx, err)
}

func (r *Run) resolveTools(ctx context.Context, in automation.ResolveInput) (automation.ResolveResult, error) {
	out := automation.ResolveResult{Expiry: r.executor.Expiry()}
	run, err := r.db.GetRunForWorker(ctx, in.RunID)
	if store.IsNoRows(err) {
		return out, fault.New(fault.NotFound, "the run is not in the database")
	}
	if err != nil {
		return out, fmt.Errorf("read run: %w", err)
	}
	if err := json.Unmarshal(run.Limits, &out.Limits); err != nil {
		return out, fmt.Errorf("decode limits: %w", err)
	}
	if run.CancelRequestedAt != nil {
		out.Cancelled = true
		return out, nil
	}
	cat, err := r.catalogue(ctx, run)
	if unready, ok := errors.AsType[*tool.Unready](err); ok {
		out.Park = &unready.Park
		return out, nil
	}
	if err != nil {
		return out, err
	}
	out.Tools = len(cat.Tools)
	s := stamp(ctx)
	err = r.db.Tx(ctx, func(q *store.Queries) error {
		doc, err := json.Marshal(cat)
		if err != nil {
			return fmt.Errorf("encode catalogue: %w", err)
		}
		if err := q.PutCatalogue(ctx, store.PutCatalogueParams{RunID: run.ID, Snapshot: doc}); err != nil {
			return fmt.Errorf("store catalogue: %w", err)
		}
		if err := r.setState(ctx, q, run.ID, automation.Running, in.Seq, s); err != nil {
			return err
		}
		names := make([]string, len(cat.Tools))
		for i, t := range cat.Tools {
			names[i] = t.Label()
		}
		return r.audit(ctx, q, run.ID, s, audit.ToolsResolved, "1", struct {
			tool.Stamp
			Tools   []string          `json:"tools"`
			Absent  []tool.Absence    `json:"absent,omitempty"`
			Flagged map[string]string `json:"flagged,omitempty"` // what was hidden in a tool's own words
		}{s, names, cat.Absent, cat.Flagged()})
	})
	return out, err
}

func (r *Run) catalogue(ctx context.Context, run *store.AutomationRun) (tool.Catalogue, error) {
	if cat, err := r.executor.Catalogue(ctx, run.ID); err == nil {
		return cat, nil // an earlier attempt committed it and its answer was lost
	} else if !store.IsNoRows(err) {
		return cat, err
	}
	servers, err := r.registry.Servers(ctx, run.Owner, run.ServerIDs)
	if err != nil {
		return tool.Catalogue{}, err
	}
	connections, err := r.connections.Named(ctx, run.Owner, run.Connections)
	if err != nil {
		return tool.Catalogue{}, err
	}
	sources := tool.Sources{
		Servers: servers, Connections: connections, Named: run.ServersNamed,
		Had: func(ctx context.Context, server int64, name string) (bool, error) {
			had, err := r.db.OffersTool(ctx, store.OffersToolParams{ServerID: server, Name: name})
			if err != nil {
				return false, fmt.Errorf("look for the named tool: %w", err)
			}
			return had, nil
		},
	}
	return tool.Resolve(ctx, r.registry, run.Owner, sources, run.ToolName)
}
