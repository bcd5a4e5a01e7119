package spending_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/automation"
	"steward/internal/llm/price"
	"steward/internal/spending"
	"steward/internal/store"
	"steward/internal/storetest"
)

// mini costs 0.25 dollars a million tokens in, 2 dollars out.
const mini = "gpt-5-mini"

// till is a book over a database of its own.
type till struct {
	*spending.Book

	t  *testing.T
	db *store.DB
	n  int32
}

func open(t *testing.T, l spending.Limits) *till {
	t.Helper()
	prices, err := price.Load("")
	require.NoError(t, err)
	book, err := spending.New(prices, l)
	require.NoError(t, err)
	return &till{Book: book, t: t, db: storetest.New(t)}
}

func (c *till) run(owner string) int64 {
	c.t.Helper()
	c.n++
	return c.runNamed(c.t, owner, fmt.Sprint(c.n))
}

// runNamed may be called side by side.
func (c *till) runNamed(t *testing.T, owner, name string) int64 {
	t.Helper()
	row, err := c.db.InsertRun(t.Context(), store.InsertRunParams{
		Owner: owner, Actor: owner, WorkflowID: "run/" + name, ServerIDs: []int64{}, Connections: []string{}, Mode: "worker",
		InstructionsSealed: []byte("x"), Approval: "policy", Limits: json.RawMessage("{}"), Metadata: json.RawMessage("{}"),
	})
	require.NoError(t, err)
	return row.ID
}

// ask is the n-th request of a run.
func ask(owner string, run int64, n int32) spending.Ask {
	return spending.Ask{
		Call:  spending.Call{RunID: run, Step: 1, TemporalRunID: "t", ActivityID: "5", Attempt: n, Request: 1},
		Owner: owner, Provider: "openai", Model: mini, Input: 1000, Output: 9000,
		Limits: automation.Limits{Tokens: 1 << 40},
	}
}

func (c *till) reserve(a spending.Ask) (g spending.Grant, err error) {
	err = c.db.Tx(c.t.Context(), func(q *store.Queries) error {
		g, err = c.Reserve(c.t.Context(), q, a)
		return err
	})
	return g, err
}

func (c *till) spent(owner string) (tokens, microUSD int64) {
	c.t.Helper()
	err := c.db.Pool.QueryRow(c.t.Context(), "SELECT coalesce(sum(tokens), 0)::bigint, coalesce(sum(micro_usd), 0)::bigint FROM spending WHERE owner = $1", owner).
		Scan(&tokens, &microUSD)
	require.NoError(c.t, err)
	return tokens, microUSD
}

func refusal(t *testing.T, err error) *spending.Refusal {
	t.Helper()
	r, ok := errors.AsType[*spending.Refusal](err)
	require.True(t, ok, "%v", err)
	return r
}

func TestReserveSetsAside(t *testing.T) {
	t.Parallel()
	c := open(t, spending.Limits{})
	id := c.run("alice")
	g, err := c.reserve(ask("alice", id, 1))
	require.NoError(t, err)
	require.Equal(t, spending.Grant{Tokens: 10_000, MicroUSD: 250 + 18_000, CostKnown: true, Output: 9000}, g)
	tokens, micro := c.spent("alice")
	require.EqualValues(t, 10_000, tokens)
	require.EqualValues(t, 18_250, micro)
}

func TestSettlementReplacesWhatWasSetAsideOnce(t *testing.T) {
	t.Parallel()
	used := automation.Usage{InputTokens: 900, OutputTokens: 100, TotalTokens: 1000, Known: true}
	for name, tc := range map[string]struct {
		end           func(c *till, q *store.Queries, call spending.Call, g spending.Grant) error
		tokens, micro int64
	}{
		"used": {func(c *till, q *store.Queries, call spending.Call, _ spending.Grant) error {
			_, err := c.Settle(c.t.Context(), q, call, spending.Settlement{Status: "answered", Model: mini, Usage: used})
			return err
		}, 1000, 225 + 200},
		"usage not reported": {func(c *till, q *store.Queries, call spending.Call, _ spending.Grant) error {
			u, err := c.Settle(c.t.Context(), q, call, spending.Settlement{Status: "answered", Model: mini, Otherwise: 700})
			require.False(c.t, u.CostKnown)
			return err
		}, 700, 1400},
		"tier without a price": {func(c *till, q *store.Queries, call spending.Call, _ spending.Grant) error {
			u, err := c.Settle(c.t.Context(), q, call, spending.Settlement{Status: "answered", Model: mini, Tier: "warp", Usage: used})
			require.False(c.t, u.CostKnown)
			return err
		}, 1000, 425},
		"perhaps paid": {func(c *till, q *store.Queries, call spending.Call, g spending.Grant) error {
			return c.Keep(c.t.Context(), q, call, g)
		}, 10_000, 18_250},
		"not paid": {func(c *till, q *store.Queries, call spending.Call, _ spending.Grant) error {
			return c.Release(c.t.Context(), q, call)
		}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := open(t, spending.Limits{})
			a := ask("alice", c.run("alice"), 1)
			g, err := c.reserve(a)
			require.NoError(t, err)
			for range 2 {
				require.NoError(t, c.db.Tx(t.Context(), func(q *store.Queries) error { return tc.end(c, q, a.Call, g) }))
				tokens, micro := c.spent("alice")
				require.Equal(t, tc.tokens, tokens)
				require.Equal(t, tc.micro, micro)
			}
		})
	}
}

func TestLimitsOfARun(t *testing.T) {
	t.Parallel()
	c := open(t, spending.Limits{})
	for name, tc := range map[string]struct {
		limits  automation.Limits
		model   string
		counted int64
		output  int64  // granted
		code    string // refused
	}{
		"room":                          {limits: automation.Limits{Tokens: 100_000}, output: 9000},
		"shorter answer":                {limits: automation.Limits{Tokens: 3000}, output: 2000},
		"no room":                       {limits: automation.Limits{Tokens: 1200}, code: "budget_exceeded"},
		"counted by an older workflow":  {limits: automation.Limits{Tokens: 3000}, counted: 1500, output: 500},
		"shorter for money":             {limits: automation.Limits{Tokens: 1 << 40, CostMicroUSD: 2251}, output: 1000},
		"no money":                      {limits: automation.Limits{Tokens: 1 << 40, CostMicroUSD: 300}, code: "budget_exceeded"},
		"not even for the question":     {limits: automation.Limits{Tokens: 1 << 40, CostMicroUSD: 100}, code: "budget_exceeded"},
		"free":                          {limits: automation.Limits{Tokens: 1 << 40, CostMicroUSD: 1}, model: automation.OfflineModel, output: 9000},
		"price not known":               {limits: automation.Limits{Tokens: 1 << 40, CostMicroUSD: 1 << 40}, model: "secret-model", code: "price_unknown"},
		"price not known, but no limit": {limits: automation.Limits{Tokens: 1 << 40}, model: "secret-model", output: 9000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := ask("owner of "+name, c.runNamed(t, "owner of "+name, name), 1)
			a.Limits, a.Counted = tc.limits, tc.counted
			if tc.model != "" {
				a.Model = tc.model
			}
			var g spending.Grant
			err := c.db.Tx(t.Context(), func(q *store.Queries) (err error) {
				g, err = c.Reserve(t.Context(), q, a)
				return err
			})
			if tc.code != "" {
				r := refusal(t, err)
				require.Equal(t, tc.code, r.Code)
				require.Zero(t, r.Until, "there is never room again")
				tokens, _ := c.spent(a.Owner)
				require.Zero(t, tokens)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.output, g.Output)
			require.Equal(t, tc.output < a.Output, g.Bounded)
			if tc.limits.CostMicroUSD > 0 {
				require.LessOrEqual(t, g.MicroUSD, tc.limits.CostMicroUSD)
			}
		})
	}
}

// However many ask at once, what is set aside never passes a limit, and none of it is lost.
func TestLimitsHoldSideBySide(t *testing.T) {
	t.Parallel()
	const each = 18_250 // micro-dollars
	for name, tc := range map[string]struct {
		limits spending.Limits
		run    automation.Limits
		owner  func(i int) string
		shared bool // one run for all
		fit    int
	}{
		"user's tokens": {limits: spending.Limits{UserDayTokens: 20 * 10_000}, owner: one, fit: 20},
		"user's money":  {limits: spending.Limits{UserDayMicroUSD: 20 * (each + 2)}, owner: one, fit: 20},
		"everybody's":   {limits: spending.Limits{DayMicroUSD: 20 * (each + 2)}, owner: several, fit: 20},
		"the run's":     {run: automation.Limits{Tokens: 20 * 10_000}, owner: one, shared: true, fit: 20},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := open(t, tc.limits)
			asks := make([]spending.Ask, 50)
			for i := range asks {
				id := int64(1)
				if !tc.shared || i == 0 {
					id = c.run(tc.owner(i))
				}
				asks[i] = ask(tc.owner(i), id, int32(i+1))
				if tc.run.Tokens > 0 {
					asks[i].Limits = tc.run
				}
			}
			var (
				all     sync.WaitGroup
				mu      sync.Mutex
				granted []spending.Grant
			)
			for _, a := range asks {
				all.Go(func() {
					g, err := c.reserve(a)
					mu.Lock()
					defer mu.Unlock()
					if err == nil {
						granted = append(granted, g)
						return
					}
					if _, ok := errors.AsType[*spending.Refusal](err); !ok {
						t.Errorf("%v", err)
					}
				})
			}
			all.Wait()
			var tokens, micro int64
			for _, g := range granted {
				tokens, micro = tokens+g.Tokens, micro+g.MicroUSD
			}
			require.GreaterOrEqual(t, len(granted), tc.fit)
			for limit, used := range map[int64]int64{tc.limits.UserDayTokens: tokens, tc.run.Tokens: tokens} {
				require.True(t, limit == 0 || used <= limit, "%d of %d tokens", used, limit)
			}
			for limit, used := range map[int64]int64{tc.limits.UserDayMicroUSD: micro, tc.limits.DayMicroUSD: micro} {
				require.True(t, limit == 0 || used <= limit, "%d of %d micro-dollars", used, limit)
			}
			var sum int64
			require.NoError(t, c.db.Pool.QueryRow(t.Context(), "SELECT sum(tokens)::bigint FROM spending").Scan(&sum))
			require.Equal(t, tokens, sum)
		})
	}
}

func one(int) string       { return "alice" }
func several(i int) string { return fmt.Sprintf("user-%d", i%7) }

func TestDayThatIsUsedUpEndsAtMidnight(t *testing.T) {
	t.Parallel()
	c := open(t, spending.Limits{UserDayTokens: 15_000})
	id := c.run("alice")
	_, err := c.reserve(ask("alice", id, 1))
	require.NoError(t, err)
	_, err = c.reserve(ask("alice", id, 2))
	require.NoError(t, err, "a shorter answer")
	_, err = c.reserve(ask("alice", id, 3))
	r := refusal(t, err)
	until := time.Until(r.Until)
	require.True(t, until > 0 && until <= 24*time.Hour, "%s", until)
	require.Zero(t, r.Until.UTC().Hour())
	_, err = c.reserve(ask("bob", c.run("bob"), 1))
	require.NoError(t, err, "another user's day")
	_, err = c.db.Pool.Exec(t.Context(), "UPDATE spending SET day = day - 1")
	require.NoError(t, err)
	_, err = c.reserve(ask("alice", id, 4))
	require.NoError(t, err, "the next day")
}

// A request whose answer never came counts with what was set aside, and makes the sum an estimate.
func TestUsageOfARunIsTheSumOfItsRequests(t *testing.T) {
	t.Parallel()
	c := open(t, spending.Limits{})
	id := c.run("alice")
	ctx := context.WithoutCancel(t.Context())
	sum := func() (u automation.Usage) {
		require.NoError(t, c.db.SetRunUsage(ctx, store.SetRunUsageParams{ID: id, Provider: "openai"}))
		row, err := c.db.GetRunForWorker(ctx, id)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(row.Usage, &u))
		return u
	}
	for n := range int32(3) {
		_, err := c.reserve(ask("alice", id, n+1))
		require.NoError(t, err)
	}
	settle := func(n int32, model string) {
		require.NoError(t, c.db.Tx(ctx, func(q *store.Queries) error {
			_, err := c.Settle(ctx, q, ask("alice", id, n).Call, spending.Settlement{
				Status: "answered", Model: model,
				Usage: automation.Usage{InputTokens: 900, CachedTokens: 400, OutputTokens: 100, ReasoningTokens: 40, TotalTokens: 1000, Known: true},
			})
			return err
		}))
	}
	settle(1, mini)
	require.NoError(t, c.db.Tx(ctx, func(q *store.Queries) error { return c.Release(ctx, q, ask("alice", id, 2).Call) }))
	got := sum()
	require.EqualValues(t, 11_000, got.TotalTokens)
	require.EqualValues(t, 900, got.InputTokens)
	require.True(t, got.Estimated && got.CostKnown && !got.Known, "%+v", got)
	settle(3, mini)
	got = sum()
	require.Equal(t, automation.Usage{
		InputTokens: 1800, CachedTokens: 800, OutputTokens: 200, ReasoningTokens: 80, TotalTokens: 2000,
		CostMicroUSD: got.CostMicroUSD, CostKnown: true, Known: true,
	}, got)
	require.Positive(t, got.CostMicroUSD)
	_, err := c.reserve(ask("alice", id, 4))
	require.NoError(t, err)
	settle(4, "secret-model")
	require.False(t, sum().CostKnown, "unknown stays unknown")
}

func TestNewChecks(t *testing.T) {
	t.Parallel()
	_, err := spending.New(nil, spending.Limits{})
	require.Error(t, err)
	_, err = spending.New(&price.Table{}, spending.Limits{DayMicroUSD: -1})
	require.Error(t, err)
}
