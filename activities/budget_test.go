package activities

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/spending"
)

func limited(change func(*automation.Limits)) automation.Limits {
	l := automation.Limits{Steps: 40, Tokens: 1_000_000, WallSeconds: 1800}
	change(&l)
	return l
}

func TestLimitOfTheRunEndsItBeforeTheRequest(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		limits automation.Limits
		model  string
		code   string
	}{
		"tokens":          {limited(func(l *automation.Limits) { l.Tokens = 300 }), "", "budget_exceeded"},
		"cost":            {limited(func(l *automation.Limits) { l.CostMicroUSD = 50 }), "", "budget_exceeded"},
		"price not known": {limited(func(l *automation.Limits) { l.CostMicroUSD = 1_000_000 }), "secret-model", "price_unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, newProvider(t, text("two mails")), options{limits: tc.limits, model: tc.model})
			out, err := g.plan(1, at{"5", 1})
			require.NoError(t, err)
			require.Equal(t, automation.BudgetExceeded, out.Final.State)
			require.Equal(t, tc.code, out.Final.Code)
			require.Empty(t, g.model.charged())
			require.Equal(t, []string{audit.ModelRefused}, g.kinds())
		})
	}
}

func TestRunThatMeetsItsLimitLeavesWhatItHas(t *testing.T) {
	t.Parallel()
	turn := calls("mcp_mail__list")
	turn.fields["output"] = append([]any{message("output_text", "Looking for mails.")}, turn.fields["output"].([]any)...)
	g := newRig(t, newProvider(t, turn), options{limits: limited(func(l *automation.Limits) { l.Tokens = 1500 })})
	out, err := g.plan(1, at{"5", 1})
	require.NoError(t, err)
	g.answered(out.Calls, "none")
	out, err = g.plan(2, at{"9", 1})
	require.NoError(t, err)
	require.Equal(t, automation.BudgetExceeded, out.Final.State)
	require.NoError(t, g.worker.close(t.Context(), automation.FinishInput{
		RunID: g.run.ID, Seq: 90, State: out.Final.State, Code: out.Final.Code, Message: out.Final.Message,
	}, g.attempt(2, at{"10", 1}).stamp))
	require.Equal(t, Output{Text: "Looking for mails.", Partial: true}, g.output())
}

func TestAnswerThatALimitCutsIsAPartialResult(t *testing.T) {
	t.Parallel()
	cut := answer{fields: map[string]any{
		"status": "incomplete", "incomplete_details": map[string]any{"reason": "max_output_tokens"}, "output": []any{message("output_text", "two ma")},
	}}
	g := newRig(t, newProvider(t, cut), options{limits: limited(func(l *automation.Limits) { l.Tokens = 1500 })})
	out, err := g.plan(1, at{"5", 1})
	require.NoError(t, err)
	require.Equal(t, automation.BudgetExceeded, out.Final.State)
	require.Equal(t, Output{Text: "two ma", Partial: true}, g.output())
	require.True(t, g.modelCalls()[0].Bounded)
	require.Less(t, g.model.charged()[0].Max, int64(1500))
}

func TestDayThatIsUsedUpParksTheRun(t *testing.T) {
	t.Parallel()
	g := newRig(t, newProvider(t, text("two mails")), options{spending: spending.Limits{UserDayTokens: 300}})
	out, err := g.plan(1, at{"5", 1})
	require.NoError(t, err)
	require.Equal(t, automation.WaitingForBudget, out.Park.State)
	require.True(t, out.Park.Retry > 0 && out.Park.Retry <= 24*time.Hour, "%s", out.Park.Retry)
	require.Contains(t, out.Park.Waiting.Reason, "today")
	require.Empty(t, g.model.charged())
	require.Equal(t, []string{audit.ModelRefused, audit.ModelDeferred}, g.kinds())
}

func TestModelIsToldOfALimitThatComesNear(t *testing.T) {
	t.Parallel()
	g := newRig(t, newProvider(t, calls("mcp_mail__list"), text("two mails")), options{limits: limited(func(l *automation.Limits) { l.Steps = 2 })})
	out, err := g.plan(1, at{"5", 1})
	require.NoError(t, err)
	g.answered(out.Calls, "two")
	_, err = g.plan(2, at{"9", 1})
	require.NoError(t, err)
	first, second := g.model.charged()[0], g.model.charged()[1]
	require.NotContains(t, first.last(), "limit of steps")
	require.Contains(t, second.last(), "100 % of this run's limit of steps")
	require.Equal(t, "system", second.Input[len(second.Input)-1].Role)
	require.Equal(t, first.Input[0], second.Input[0], "what is cached stays")
}

func TestTokensAreCountedWhereItMatters(t *testing.T) {
	t.Parallel()
	g := newRig(t, newProvider(t, text("two mails")), options{features: "input_tokens", context: 200})
	g.model.counted = 60
	_, err := g.plan(1, at{"5", 1})
	require.NoError(t, err)
	require.EqualValues(t, 140, g.model.charged()[0].Max, "what 60 of 200 tokens leave")
}

func TestParkedRunSaysWhy(t *testing.T) {
	t.Parallel()
	g := newRig(t, newProvider(t, text("x")), options{})
	ctx := context.WithoutCancel(t.Context())
	in := automation.ParkInput{RunID: g.run.ID, Seq: 20, Park: automation.Park{
		State: automation.WaitingForAuth, Waiting: automation.Waiting{Reason: "Gmail is not connected", Provider: "google", Version: 3},
	}}
	out, err := g.worker.parkRun(ctx, in, g.attempt(1, at{"8", 1}).stamp)
	require.NoError(t, err)
	require.False(t, out.Ready)
	row := g.row()
	require.Equal(t, "waiting_for_auth", row.State)
	require.Contains(t, string(row.Waiting), "Gmail is not connected")
	require.Equal(t, []string{audit.RunState, audit.RunParked}, g.kinds())

	credential := func(version int, state string) {
		_, err := g.db.Pool.Exec(ctx, `INSERT INTO credentials (owner, provider, subject, scopes, access_sealed, expires_at, state, version)
			VALUES ($1, 'google', 's', '{}', '\x00', now(), $2, $3) ON CONFLICT (owner, provider) DO UPDATE SET state = $2, version = $3`, owner, state, version)
		require.NoError(t, err)
	}
	for _, tc := range []struct {
		version int
		state   string
		ready   bool
	}{{3, "active", false}, {4, "needs_reconnect", false}, {4, "active", true}} {
		credential(tc.version, tc.state)
		in.Seq += 2
		out, err = g.worker.parkRun(ctx, in, g.attempt(1, at{"8", 1}).stamp)
		require.NoError(t, err)
		require.Equal(t, tc.ready, out.Ready, "version %d, %s", tc.version, tc.state)
	}

	s := g.attempt(1, at{"9", 1}).stamp
	require.NoError(t, g.worker.setState(ctx, g.db.Queries, g.run.ID, automation.WaitingForDecision, in.Seq+2, s))
	require.NotNil(t, g.row().Waiting, "another call asks a person: the run still sleeps")
	require.NoError(t, g.worker.setState(ctx, g.db.Queries, g.run.ID, automation.Running, in.Seq+4, s))
	require.Nil(t, g.row().Waiting)
	_, err = g.worker.parkRun(ctx, in, s)
	require.NoError(t, err)
	require.Equal(t, "running", g.row().State, "an older number changes nothing")
}
