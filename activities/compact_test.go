package activities

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/llm"
)

// filled is a run two steps in whose results together fill the window.
func filled(t *testing.T, p *provider, o options) *rig {
	t.Helper()
	o.context = 4000
	g := newRig(t, p, o)
	for step, result := range []string{strings.Repeat("mail ", 1500), strings.Repeat("few ", 1000)} {
		out, err := g.plan(step+1, at{fmt.Sprint(5 + 2*step), 1})
		require.NoError(t, err)
		require.Len(t, out.Calls, 1)
		g.answered(out.Calls, result)
	}
	return g
}

// differently gives the calls of each turn ids of their own.
func differently(turns ...answer) []answer {
	for i, a := range turns {
		items, ok := a.fields["output"].([]any)
		if !ok {
			continue
		}
		for _, it := range items {
			if call := it.(map[string]any); call["type"] == "function_call" {
				call["call_id"] = fmt.Sprintf("turn%d", i)
			}
		}
	}
	return turns
}

func script() []answer {
	return differently(calls("mcp_mail__list"), calls("mcp_mail__list"), calls("mcp_mail__list"), text("two mails"))
}

func (g *rig) compactions() (n int) {
	g.t.Helper()
	require.NoError(g.t, g.db.Pool.QueryRow(g.t.Context(), "SELECT count(*) FROM run_compactions WHERE run_id = $1", g.run.ID).Scan(&n))
	return n
}

func outputs(b body) (out []string) {
	for _, it := range b.Input {
		if it.Type == "function_call_output" {
			out = append(out, it.Output)
		}
	}
	return out
}

func TestFullConversationLosesItsOldestResults(t *testing.T) {
	t.Parallel()
	g := filled(t, newProvider(t, script()...), options{})
	out, err := g.plan(3, at{"9", 1})
	require.NoError(t, err)
	seen := outputs(g.model.charged()[2])
	require.Equal(t, "[result of mcp_mail__list removed to fit;", seen[0][:41])
	require.Contains(t, seen[1], "few")
	require.Contains(t, g.kinds(), audit.ModelCompacted)
	g.answered(out.Calls, "last")
	_, err = g.plan(4, at{"11", 1})
	require.NoError(t, err)
	require.Equal(t, seen, outputs(g.model.charged()[3])[:2], "what was cached stays")
	require.Equal(t, 1, g.compactions())
	require.Equal(t, "two mails", g.output().Text)
}

func TestProviderCompactsWhereItCan(t *testing.T) {
	t.Parallel()
	p := newProvider(t, script()...)
	p.compacted = []json.RawMessage{json.RawMessage(`{"type":"compaction","encrypted_content":"opaque"}`)}
	g := filled(t, p, options{features: "compact"})
	out, err := g.plan(3, at{"9", 1})
	require.NoError(t, err)
	sent := g.model.charged()[2]
	require.Len(t, sent.Input, 1)
	require.Equal(t, "compaction", sent.Input[0].Type)
	made := g.modelCalls()
	require.Len(t, made, 4)
	require.EqualValues(t, 550, made[2].ChargedTokens, "it is paid for")
	require.EqualValues(t, 2, made[3].Request)
	g.answered(out.Calls, "last")
	_, err = g.plan(4, at{"11", 1})
	require.NoError(t, err)
	require.Len(t, g.model.charged()[3].Input, 3, "the compacted start, the call, its result")
}

func TestProviderThatCannotCompactAfterAllIsDoneWithout(t *testing.T) {
	t.Parallel()
	g := filled(t, newProvider(t, script()...), options{features: "compact"})
	_, err := g.plan(3, at{"9", 1})
	require.NoError(t, err)
	require.Contains(t, outputs(g.model.charged()[2])[0], "removed to fit")
}

func TestTooLongForTheProviderIsShortenedOnce(t *testing.T) {
	t.Parallel()
	tooLong := problem(http.StatusBadRequest, "invalid_request_error", "context_length_exceeded")
	for name, features := range map[string]string{"now": "", "in the background": "background"} {
		for outcome, turns := range map[string][]answer{"fits then": {tooLong, text("two mails")}, "never fits": {tooLong, tooLong}} {
			t.Run(name+", "+outcome, func(t *testing.T) {
				t.Parallel()
				g := newRig(t, newProvider(t, turns...), options{features: features})
				out, err := g.plan(1, at{"5", 1})
				require.Len(t, g.model.charged(), 2)
				require.Equal(t, 1, g.compactions())
				if outcome == "never fits" {
					require.True(t, applicationError(t, err).NonRetryable())
					require.Equal(t, "LLM_context_length_exceeded", applicationError(t, err).Type())
					_, err = g.plan(1, at{"5", 2})
					require.Error(t, err)
					require.Len(t, g.model.charged(), 3, "once a step")
					return
				}
				require.NoError(t, err)
				if features == "background" {
					require.Equal(t, "resp_2", g.pending)
					out, err = g.await(1, at{"6", 1})
					require.NoError(t, err)
				}
				require.Equal(t, automation.Success, out.Final.State)
			})
		}
	}
}

func TestTooLongIsFoundOutInTheBackground(t *testing.T) {
	t.Parallel()
	late := answer{fields: map[string]any{"status": "failed", "error": map[string]any{"code": "context_length_exceeded", "message": "x"}}}
	g := newRig(t, newProvider(t, late, text("two mails")), options{features: "background"})
	_, err := g.plan(1, at{"5", 1})
	require.NoError(t, err)
	out, err := g.await(1, at{"6", 1})
	require.NoError(t, err)
	require.Equal(t, automation.Success, out.Final.State)
}

// The branch of a Temporal Reset does not start from what the old one compacted.
func TestResetDropsLaterCompactions(t *testing.T) {
	t.Parallel()
	g := filled(t, newProvider(t, script()...), options{})
	_, err := g.plan(3, at{"9", 1})
	require.NoError(t, err)
	require.Equal(t, 1, g.compactions())
	g.model.then(differently(text("other"), text("other"), text("other"), text("two mails"))...)
	a := g.attempt(2, at{"7", 1})
	a.stamp.TemporalRunID = "t2"
	_, err = g.worker.planStep(t.Context(), a)
	require.NoError(t, err)
	require.Zero(t, g.compactions())
}

func TestShorten(t *testing.T) {
	t.Parallel()
	call := func(id string) json.RawMessage {
		return json.RawMessage(fmt.Sprintf(`{"type":"function_call","call_id":%q,"name":"read"}`, id))
	}
	result := func(id string, n int) json.RawMessage { return llm.FunctionOutput(id, strings.Repeat("é", n/2)) }
	items := []json.RawMessage{
		llm.UserMessage("do it"), call("a"), result("a", 40_000), call("b"), result("b", 40_000), call("c"), call("d"), result("c", 40_000), result("d", 100),
	}
	for most, want := range map[int]struct{ stubs, cut int }{200_000: {0, 0}, 100_000: {1, 0}, 60_000: {2, 0}, 20_000: {2, 1}, 10: {2, 1}} {
		short := shorten(items, most)
		require.Len(t, short, len(items))
		stubs, cuts := 0, 0
		for _, raw := range short {
			require.True(t, json.Valid(raw) && utf8.Valid(raw))
			stubs += strings.Count(string(raw), "removed to fit")
			cuts += strings.Count(string(raw), "cut to fit")
		}
		require.Equal(t, want.stubs, stubs, "into %d", most)
		require.Equal(t, want.cut, cuts, "into %d", most)
		require.True(t, most < 20_000 || sizeOf(short) <= most, "%d into %d", sizeOf(short), most)
		require.Equal(t, short, shorten(items, most), "always in the same way")
	}
}

func FuzzShorten(f *testing.F) {
	f.Add(`{"type":"function_call_output","call_id":"a","output":"x"}`, 10)
	f.Add(`[]`, 0)
	f.Fuzz(func(t *testing.T, raw string, most int) {
		items := []json.RawMessage{json.RawMessage(raw), json.RawMessage(raw)}
		short := shorten(items, most)
		require.Len(t, short, 2)
		require.LessOrEqual(t, sizeOf(short), sizeOf(items))
		calledIn(items)
	})
}
