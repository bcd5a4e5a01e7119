package tool_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/store"
	"steward/internal/tool"
)

func TestPolicyAsksBeforeWhatIsNotRead(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		mode, tool string
		asks       bool
	}{
		{tool.ApprovePolicy, "get", false},
		{tool.ApprovePolicy, "put", true},
		{tool.ApprovePolicy, "send", true},
		{tool.ApproveAlways, "get", true},
		{tool.ApproveNever, "send", false},
	} {
		t.Run(tc.mode+"/"+tc.tool, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, tc.mode)
			require.Equal(t, tc.asks, f.plan(tc.tool, `{"text":"x"}`).Decision != "")
		})
	}
}

func TestApprovalBindsTheCallAndIsUsedOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t, tool.ApprovePolicy)
	c := f.plan("send", `{"text":"x"}`)
	other := f.plan("send", `{"text":"y"}`)

	_, err := f.execute(c)
	require.Equal(t, "approval_used", fault.CodeOf(err), "not approved yet")
	id := f.decide(c, automation.Approve)
	in := f.input(other)
	in.Decision = id
	_, err = f.x.Execute(t.Context(), in, stamp, nil)
	require.Equal(t, "approval_mismatch", fault.CodeOf(err), "approve A, run B (T-47)")
	require.Zero(t, f.effects(other))

	_, err = f.db.Pool.Exec(t.Context(), "UPDATE tool_calls SET digest = 'changed' WHERE id = $1", c.ID)
	require.NoError(t, err)
	_, err = f.execute(c)
	require.Equal(t, "approval_mismatch", fault.CodeOf(err), "arguments changed after the approval (T-47)")
	require.Zero(t, f.effects(c))
}

func TestApprovedCallIsSentOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t, tool.ApprovePolicy)
	c := f.plan("send", `{"text":"x"}`)
	f.decide(c, automation.Approve)
	out, err := f.execute(c)
	require.NoError(t, err)
	require.Equal(t, automation.CallDone, out.State)
	_, err = f.execute(c)
	require.NoError(t, err)
	require.Equal(t, 1, f.effects(c))
	n, err := f.db.UseDecision(t.Context(), c.Decision)
	require.NoError(t, err)
	require.Zero(t, n, "the approval is used up")
}

func TestApprovalSurvivesACallThatDidNotRun(t *testing.T) {
	t.Parallel()
	f := newFixture(t, tool.ApprovePolicy)
	c := f.plan("send", `{"text":"die-before"}`)
	f.decide(c, automation.Approve)
	_, err := f.execute(c)
	require.Error(t, err)
	out, err := f.execute(c)
	require.NoError(t, err)
	require.Equal(t, automation.CallDone, out.State)
	require.Equal(t, 1, f.effects(c))
}

func TestEditReplacesTheArguments(t *testing.T) {
	t.Parallel()
	f := newFixture(t, tool.ApprovePolicy)
	c := f.plan("send", `{"text":"model's words"}`)
	_, _, err := f.x.CheckEdit(t.Context(), f.run.ID, f.row(c), json.RawMessage(`{"text":1}`))
	require.True(t, fault.Is(err, fault.Invalid), "%v", err)
	sealed, digest, err := f.x.CheckEdit(t.Context(), f.run.ID, f.row(c), json.RawMessage(`{"text":"person's words"}`))
	require.NoError(t, err)
	_, err = f.db.Decide(t.Context(), store.DecideParams{
		ID: c.Decision, Owner: owner, Verdict: "edit", DecidedBy: owner, NewArgumentsSealed: sealed, NewDigest: digest,
	})
	require.NoError(t, err)
	_, err = f.execute(c)
	require.NoError(t, err)
	require.JSONEq(t, `{"sent":"person's words"}`, f.result(c))
	require.Equal(t, digest, f.row(c).Digest)
}

func TestDenialTellsTheModelWhy(t *testing.T) {
	t.Parallel()
	f := newFixture(t, tool.ApprovePolicy)
	c := f.plan("send", `{"text":"x"}`)
	_, err := f.db.Decide(t.Context(), store.DecideParams{ID: c.Decision, Owner: owner, Verdict: "deny", DecidedBy: owner, Note: "wrong recipient"})
	require.NoError(t, err)
	in := f.input(c)
	in.Verdict = automation.Deny
	out, err := f.x.Settle(t.Context(), in, stamp)
	require.NoError(t, err)
	require.Equal(t, automation.CallDenied, out.State)
	require.Contains(t, f.result(c), "wrong recipient")
	require.Zero(t, f.effects(c))
}

func TestExpiredQuestionCannotBeAnsweredAnyMore(t *testing.T) {
	t.Parallel()
	f := newFixture(t, tool.ApprovePolicy)
	c := f.plan("send", `{"text":"x"}`)
	in := f.input(c)
	in.Verdict = automation.Expired
	out, err := f.x.Settle(t.Context(), in, stamp)
	require.NoError(t, err)
	require.Equal(t, automation.CallDenied, out.State)
	_, err = f.db.Decide(t.Context(), store.DecideParams{ID: c.Decision, Owner: owner, Verdict: "approve", DecidedBy: owner})
	require.True(t, store.IsNoRows(err))
}

func TestModelsMistakesAreAnsweredNotSent(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ tool, arguments, says string }{
		"unknown tool":    {"nothing", `{}`, "no tool of this name"},
		"no JSON":         {"send", `{"text":`, "not valid JSON"},
		"duplicate key":   {"send", `{"text":"a","text":"b"}`, "each key once"},
		"not an object":   {"send", `["text"]`, "must be a JSON object"},
		"wrong type":      {"send", `{"text":1}`, "input schema"},
		"missing field":   {"send", `{}`, "input schema"},
		"unknown field":   {"send", `{"text":"a","bcc":"x@evil.test"}`, "input schema"},
		"trailing values": {"send", `{"text":"a"} {}`, "not valid JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, tool.ApproveNever)
			c := f.plan(tc.tool, tc.arguments)
			require.True(t, c.Settled)
			require.Contains(t, f.result(c), tc.says)
			require.Equal(t, []string{"tool.refused"}, f.kinds())
		})
	}
}

func TestResetFindsTheCallThatItsOldBranchMade(t *testing.T) {
	t.Parallel()
	f := newFixture(t, tool.ApproveNever)
	c := f.planAt(1, "same", "send", `{"text":"x"}`)
	f.step = 1
	_, err := f.execute(c)
	require.NoError(t, err)
	require.NoError(t, f.db.SupersedeCalls(t.Context(), store.SupersedeCallsParams{RunID: f.run.ID, Step: 1}))
	again := f.planAt(1, "same", "send", `{"text":"x"}`)
	require.Equal(t, c.ID, again.ID)
	require.True(t, again.Settled, "what happened stands; nothing is sent twice")
	require.Equal(t, 1, f.effects(c))
}

func TestResetAsksAgainForWhatWasApprovedButNotSent(t *testing.T) {
	t.Parallel()
	f := newFixture(t, tool.ApprovePolicy)
	c := f.planAt(1, "same", "send", `{"text":"x"}`)
	f.decide(c, automation.Approve)
	again := f.planAt(1, "same", "send", `{"text":"x"}`)
	require.Equal(t, c.ID, again.ID)
	require.NotEqual(t, c.Decision, again.Decision)
}

func TestResetWithANewIDForTheSameEffectAsksAPerson(t *testing.T) {
	t.Parallel()
	f := newFixture(t, tool.ApproveNever)
	f.step = 1
	c := f.planAt(1, "old", "send", `{"text":"x"}`)
	_, err := f.execute(c)
	require.NoError(t, err)
	require.NoError(t, f.db.SupersedeCalls(t.Context(), store.SupersedeCallsParams{RunID: f.run.ID, Step: 1}))
	require.NotEmpty(t, f.planAt(1, "new", "send", `{"text":"x"}`).Decision, "the same mail a second time")
	require.Empty(t, f.planAt(1, "other", "send", `{"text":"y"}`).Decision, "another mail")
	require.Empty(t, f.planAt(1, "read", "get", `{"text":"x"}`).Decision)
}
