package tool

import (
	"context"
	"fmt"
	"slices"

	"steward/internal/store"
	"steward/internal/tool/addressee"
)

// guard judges the calls of one turn (llm.md §5.3, ADR 0002). What it knows comes from the ledger, in the
// transaction that records the turn, and from the owner's words: nothing that the model says counts.
type guard struct {
	mode    string
	known   *addressee.Known
	times   map[deed]int32
	sources []string // tools whose answers the model has seen
	tainted bool     // and they held both what strangers wrote and private data
}

// deed is a call by what it does.
type deed struct{ function, digest string }

// guard reads what is known before the calls of a turn.
func (x *Executor) guard(ctx context.Context, q *store.Queries, t Turn, drafts []draft) (*guard, error) {
	g := &guard{mode: t.Run.Approval, times: map[deed]int32{}}
	about := store.ListDeedsParams{RunID: t.Run.ID, Step: int32(t.Step), Digests: []string{}, CallIds: []string{}} //nolint:gosec // bounded by limits
	for _, d := range drafts {
		about.CallIds = append(about.CallIds, d.row.CallID)
		if d.row.Digest != "" {
			about.Digests = append(about.Digests, d.row.Digest)
		}
	}
	rows, err := q.ListDeeds(ctx, about)
	if err != nil {
		return nil, fmt.Errorf("read what the run did: %w", err)
	}
	g.remember(t.Catalogue, rows)
	g.known, err = x.knownTo(ctx, q, t)
	return g, err
}

// knownTo says who may be written to: whom the owner's words name, the owner, and whom the operator allows.
func (x *Executor) knownTo(ctx context.Context, q *store.Queries, t Turn) (*addressee.Known, error) {
	accounts, err := q.ListAccounts(ctx, t.Run.Owner)
	if err != nil {
		return nil, fmt.Errorf("read the owner's accounts: %w", err)
	}
	return x.known.With(t.Instructions, accounts), nil
}

func (g *guard) remember(cat Catalogue, rows []*store.ListDeedsRow) {
	strangers, private := false, false
	for _, row := range rows {
		if row.Digest != "" {
			g.times[deed{row.FunctionName, row.Digest}] += row.Times
		}
		label := row.ServerName + "/" + row.ToolName
		if !row.Seen || slices.Contains(g.sources, label) {
			continue
		}
		t, ours := cat.Find(row.FunctionName)
		if !ours { // of a provider's own: nothing is known of it
			t.Untrusted, t.Private = true, true
		}
		strangers, private = strangers || t.Untrusted, private || t.Private
		if t.Untrusted || t.Private {
			g.sources = append(g.sources, label)
		}
	}
	g.tainted = strangers && private
}

// maxTimes is how often one run may make the same call.
const maxTimes = 2

// repeats counts a call and says whether it is one too many.
func (g *guard) repeats(row store.InsertCallParams) bool {
	d := deed{row.FunctionName, row.Digest}
	g.times[d]++
	return g.times[d] > maxTimes
}
