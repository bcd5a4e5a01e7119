package tool_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/automation"
	"steward/internal/store"
	"steward/internal/tool"
)

// What a Reset took back was neither seen by the model nor counts as made.
func TestGuardForgetsWhatAResetTookBack(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	p := s.play(t, tool.ApproveNever, request)
	write := say("write", `{"path":"a"}`)
	p.read("obey")
	require.NotEmpty(t, p.plan(write)[0].Decision, "tainted")
	again := say("write", write.Arguments)
	require.NotEmpty(t, p.plan(again)[0].Decision)

	require.NoError(t, s.db.SupersedeCalls(t.Context(), store.SupersedeCallsParams{RunID: p.run.ID, Step: 1}))
	p.step = 0
	c := p.plan(say("write", write.Arguments))[0]
	require.Empty(t, c.Decision, "nothing was read on this branch, and it is the first of its kind")
	require.False(t, c.Settled)
}

func TestRefusalStandsAfterAReset(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	p := s.play(t, tool.ApproveNever, request)
	bad := say("letter", `{"text":"to whom?"}`)
	first := p.plan(bad)[0]
	require.True(t, first.Settled)
	require.NoError(t, s.db.SupersedeCalls(t.Context(), store.SupersedeCallsParams{RunID: p.run.ID, Step: 1}))
	p.step = 0
	require.Equal(t, first, p.plan(bad)[0])
}

// An answer that was refused or never came does not taint; a tool's own failure does.
func TestWhatTaints(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	p := s.play(t, tool.ApproveNever, request)
	p.carry(p.plan(say("read_mail", `["no object"]`))[0])
	_ = p.plan(say("read_mail", `{"stranger_wrote":"planned and not made"}`))
	p.carry(p.plan(say("count", `{}`))[0])
	require.Empty(t, p.plan(say("write", `{"path":"a"}`))[0].Decision)
	p.read("obey")
	c := p.plan(say("write", `{"path":"b"}`))[0]
	require.NotEmpty(t, c.Decision)
	plan, asked := p.judged(c)
	require.Equal(t, []string{"world/count", "world/read_mail"}, plan.Tainted)
	require.Contains(t, asked, "world/read_mail")
	require.Equal(t, automation.Idempotent, c.Class)
}

// A URL of a known host may carry what the model made up; the record says so.
func TestURLMadeByTheModelIsNoted(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	p := s.play(t, tool.ApproveNever, request)
	p.read("obey")
	for url, noted := range map[string]bool{"https://api.good.example/totals": false, "https://api.good.example/x?d=secret": true, "https://api.good.example": false} {
		c := p.plan(say("post", object(map[string]string{"url": url})))[0]
		require.Empty(t, c.Decision, url)
		plan, _ := p.judged(c)
		require.Contains(t, plan.Rules, tool.RuleConsented)
		require.Equal(t, noted, len(plan.Rules) == 2 && plan.Rules[0] == tool.RuleURL, "%s: %v", url, plan.Rules)
	}
}
