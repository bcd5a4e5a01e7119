// Package spending sets aside what a request to the model may cost before it is sent, and settles it when the
// usage is known. Limits hold however many runs ask at the same time, and a request whose answer never came
// stays charged: it may have been paid for.
package spending

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"steward/internal/automation"
	"steward/internal/llm/price"
	"steward/internal/store"
)

// Limits hold for a day (UTC) and are shared by runs; 0 is no limit. A run's own limits come with each Ask.
type Limits struct {
	UserDayMicroUSD int64
	UserDayTokens   int64
	DayMicroUSD     int64 // everybody's
}

// Book keeps the accounts. It is safe for concurrent use by many processes: PostgreSQL decides.
type Book struct {
	prices *price.Table
	limits Limits
}

// New checks its dependencies.
func New(prices *price.Table, l Limits) (*Book, error) {
	if prices == nil {
		return nil, errors.New("spending: a price table is required")
	}
	if l.UserDayMicroUSD < 0 || l.UserDayTokens < 0 || l.DayMicroUSD < 0 {
		return nil, errors.New("spending: limits must not be negative")
	}
	return &Book{prices: prices, limits: l}, nil
}

// Call names one request to the model.
type Call struct {
	RunID         int64
	Step          int32
	TemporalRunID string
	ActivityID    string
	Attempt       int32
	Request       int32 // of this attempt, from 1
}

// Settlement is what became of a request.
type Settlement struct {
	Status     string // "answered" or "failed"
	ResponseID string
	Model      string // that answered; prices depend on it
	Tier       string
	Usage      automation.Usage
	// Otherwise is what the call is charged when the provider reports no usage.
	Otherwise int64
}

// Settle replaces what was set aside by what was used, and returns the usage with its cost. The first
// settlement of a call stands. In a transaction it comes before every audit event: see Reserve.
func (b *Book) Settle(ctx context.Context, q *store.Queries, c Call, s Settlement) (automation.Usage, error) {
	u, tokens := s.Usage, s.Usage.TotalTokens
	if !u.Known {
		tokens = s.Otherwise
	}
	if cost, known := b.prices.Cost(s.Model, s.Tier, u); known {
		u.CostMicroUSD, u.CostKnown = cost, true
	} else { // a tier without a price, or no usage: charged, but not known
		u.CostMicroUSD, _ = b.prices.AtMost(s.Model, u.InputTokens, max(u.OutputTokens, tokens-u.InputTokens))
	}
	return u, b.settle(ctx, q, c, s, u, tokens)
}

// Keep ends a call without an answer that may have been paid for: what was set aside stays charged.
func (b *Book) Keep(ctx context.Context, q *store.Queries, c Call, g Grant) error {
	u := automation.Usage{CostMicroUSD: g.MicroUSD, CostKnown: g.CostKnown}
	return b.settle(ctx, q, c, Settlement{Status: "failed"}, u, g.Tokens)
}

// Release ends a call that was provably not paid for.
func (b *Book) Release(ctx context.Context, q *store.Queries, c Call) error {
	return b.settle(ctx, q, c, Settlement{Status: "failed"}, automation.Usage{}, 0)
}

func (b *Book) settle(ctx context.Context, q *store.Queries, c Call, s Settlement, u automation.Usage, tokens int64) error {
	doc, err := json.Marshal(u)
	if err != nil {
		return fmt.Errorf("encode usage: %w", err)
	}
	err = q.SettleModelCall(ctx, store.SettleModelCallParams{
		RunID: c.RunID, Step: c.Step, TemporalRunID: c.TemporalRunID, ActivityID: c.ActivityID, Attempt: c.Attempt, Request: c.Request,
		Status: s.Status, ResponseID: s.ResponseID, Tier: s.Tier, Usage: doc,
		ChargedTokens: tokens, ChargedMicroUSD: u.CostMicroUSD, CostKnown: u.CostKnown,
	})
	if err != nil {
		return fmt.Errorf("settle model call: %w", err)
	}
	return nil
}
