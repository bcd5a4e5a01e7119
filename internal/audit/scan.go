package audit

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"steward/internal/store"
)

// scan walks chains in the order of the database.
type scan struct {
	signed   signedHeads // taken out as chains are met
	report   *Report
	progress func(int64)
}

// position is the place of an event in the order (chain, seq).
type position struct {
	chain string
	seq   int64
}

// chains walks the events after a position up to the end of the last of the heads.
func (s *scan) chains(ctx context.Context, q *store.Queries, heads []*store.AuditChain, after position) error {
	byName := make(map[string]*store.AuditChain, len(heads))
	for _, h := range heads {
		byName[h.Chain] = h
	}
	last := heads[len(heads)-1].Chain
	var w *walk
	for {
		page, err := q.ScanAudit(ctx, store.ScanAuditParams{
			AfterChain: after.chain, AfterSeq: after.seq, LastChain: last, PageSize: verifyEvents,
		})
		if err != nil {
			return err
		}
		for _, e := range page {
			after = position{e.Chain, e.Seq}
			if w == nil || w.chain != e.Chain {
				if w != nil {
					w.end()
				}
				if w = s.begin(byName, e.Chain); w == nil {
					continue // reported by headless
				}
			}
			w.next(e)
		}
		s.report.Events += int64(len(page))
		if s.progress != nil {
			s.progress(s.report.Events)
		}
		if len(page) < verifyEvents {
			break
		}
	}
	if w != nil {
		w.end()
	}
	for _, chain := range slices.Sorted(maps.Keys(byName)) { // those without a single event
		s.begin(byName, chain).end()
	}
	return nil
}

func (s *scan) begin(byName map[string]*store.AuditChain, chain string) *walk {
	head, ok := byName[chain]
	if !ok {
		return nil
	}
	delete(byName, chain)
	w := &walk{chain: chain, head: head, signed: s.signed[chain], report: s.report}
	delete(s.signed, chain)
	s.report.Chains++
	return w
}

// headless reports events whose chain has no head.
func (s *scan) headless(ctx context.Context, q *store.Queries) error {
	chains, err := q.ListHeadlessChains(ctx, maxFindings)
	if err != nil {
		return err
	}
	for _, chain := range chains {
		s.report.add(Finding{Chain: chain, Problem: Altered, Detail: "the chain has events and no head"})
	}
	return nil
}

// lost reports the chains that only checkpoints know.
func (s *scan) lost() {
	for _, chain := range slices.Sorted(maps.Keys(s.signed)) {
		heads := s.signed[chain]
		s.report.add(Finding{
			Chain: chain, Seq: 1, Problem: Missing,
			Detail: fmt.Sprintf("the chain is gone; a signed checkpoint knows event %d", heads[len(heads)-1].seq),
		})
	}
}
