package spending

import (
	"context"
	"fmt"
	"time"

	"steward/internal/automation"
	"steward/internal/store"
)

// Ask is a request about to be sent.
type Ask struct {
	Call

	Owner, Provider, Model string
	Limits                 automation.Limits // the run's own
	Counted                int64             // tokens that the workflow has counted, for runs older than the accounts
	Input                  int64             // tokens, estimated
	Output                 int64             // tokens, as many as may be useful
}

// Grant is what was set aside for a request.
type Grant struct {
	Tokens    int64
	MicroUSD  int64
	CostKnown bool
	Output    int64 // the longest answer that is paid for: send it as max_output_tokens
	Bounded   bool  // a limit made it shorter than asked
}

// leastOutput is the shortest answer worth a request, in tokens.
const leastOutput = 256

// Codes of refusals, stable.
const (
	CodeExceeded     = "budget_exceeded" // a limit is used up
	CodePriceUnknown = "price_unknown"   // a limit on cost cannot be kept for a model without a price
)

// Refusal says that a request would pass a limit. Nothing was sent or set aside.
type Refusal struct {
	Code    string
	Message string    // for people
	Until   time.Time // when there may be room again; zero: never for this run
}

// Error is the message.
func (r *Refusal) Error() string { return r.Message }

// Reserve sets aside what the request can cost and writes its intent, or returns a *Refusal, after which the
// transaction must be rolled back. The user's account is locked to the end of the transaction, before anything
// else of the run: audit events and states come after it, in every transaction, so that none waits in a circle.
func (b *Book) Reserve(ctx context.Context, q *store.Queries, a Ask) (Grant, error) {
	day, err := q.LockSpending(ctx, a.Owner)
	if err != nil {
		return Grant{}, fmt.Errorf("lock account: %w", err)
	}
	run, err := q.SumRunCharges(ctx, a.RunID)
	if err != nil {
		return Grant{}, fmt.Errorf("sum the run's charges: %w", err)
	}
	left := []room{
		{limit: a.Limits.Tokens, used: max(run.Tokens, a.Counted), unit: tokens, whose: "the run's limit"},
		{limit: a.Limits.CostMicroUSD, used: run.MicroUSD, unit: money, whose: "the run's limit"},
		{limit: b.limits.UserDayTokens, used: day.Tokens, unit: tokens, whose: "the user's limit for today", shared: true},
		{limit: b.limits.UserDayMicroUSD, used: day.MicroUSD, unit: money, whose: "the user's limit for today", shared: true},
	}
	if b.limits.DayMicroUSD > 0 {
		all, err := b.day(ctx, q)
		if err != nil {
			return Grant{}, err
		}
		left = append(left, room{limit: b.limits.DayMicroUSD, used: all, unit: money, whose: "everybody's limit for today", shared: true})
	}
	g, err := b.weigh(a, left)
	if err != nil {
		return g, err
	}
	return g, b.write(ctx, q, a, g)
}

// day is what everybody has spent today. Until the end of the transaction nobody else sets aside.
func (b *Book) day(ctx context.Context, q *store.Queries) (int64, error) {
	if err := q.LockDay(ctx); err != nil {
		return 0, fmt.Errorf("lock the day's account: %w", err)
	}
	all, err := q.SumDay(ctx)
	if err != nil {
		return 0, fmt.Errorf("sum the day's accounts: %w", err)
	}
	return all, nil
}

func (b *Book) write(ctx context.Context, q *store.Queries, a Ask, g Grant) error {
	err := q.AddSpending(ctx, store.AddSpendingParams{Owner: a.Owner, Tokens: g.Tokens, MicroUSD: g.MicroUSD})
	if err != nil {
		return fmt.Errorf("set aside: %w", err)
	}
	err = q.InsertModelCall(ctx, store.InsertModelCallParams{
		RunID: a.RunID, Step: a.Step, TemporalRunID: a.TemporalRunID, ActivityID: a.ActivityID, Attempt: a.Attempt, Request: a.Request,
		Owner: a.Owner, Provider: a.Provider, Model: a.Model, Prices: b.prices.Version(),
		ChargedTokens: g.Tokens, ChargedMicroUSD: g.MicroUSD, CostKnown: g.CostKnown, Bounded: g.Bounded,
	})
	if err != nil {
		return fmt.Errorf("record model call: %w", err)
	}
	return nil
}
