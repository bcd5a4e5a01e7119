package activities

import (
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/automation"
)

func message(kind, words string) map[string]any {
	return map[string]any{"type": "message", "role": "assistant", "content": []any{map[string]any{"type": kind, map[string]string{"refusal": "refusal"}[kind] + map[string]string{"output_text": "text"}[kind]: words}}}
}

func TestTurnsThatEndARun(t *testing.T) {
	t.Parallel()
	incomplete := func(reason string) answer {
		return answer{fields: map[string]any{
			"status": "incomplete", "incomplete_details": map[string]any{"reason": reason}, "output": []any{message("output_text", "so far")},
		}}
	}
	flagged := text("rude words")
	flagged.fields["moderation"] = map[string]any{"output": map[string]any{"flagged": true}}
	for name, tc := range map[string]struct {
		turn answer
		want automation.State
		code string
		text string
	}{
		"done":           {text("two mails"), automation.Success, "", "two mails"},
		"refused":        {answer{fields: map[string]any{"status": "completed", "output": []any{message("refusal", "no")}}}, automation.Failed, "model_refused", ""},
		"too long":       {incomplete("max_output_tokens"), automation.Failed, "model_incomplete", "so far"},
		"filtered":       {incomplete("content_filter"), automation.Failed, "model_content_filter", "so far"},
		"another reason": {incomplete("solar_flare"), automation.Failed, "model_incomplete", "so far"},
		"flagged":        {flagged, automation.Failed, "model_blocked", ""},
		"empty":          {answer{fields: map[string]any{"status": "completed", "output": []any{}}}, automation.Failed, "model_empty", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, newProvider(t, tc.turn), options{})
			out, err := g.plan(1, at{"5", 1})
			require.NoError(t, err)
			require.Equal(t, tc.want, out.Final.State)
			require.Equal(t, tc.code, out.Final.Code)
			require.Equal(t, string(tc.want), g.row().State)
			require.Equal(t, tc.text, g.output().Text)
		})
	}
}

func TestIncompleteCallsAreNotMade(t *testing.T) {
	t.Parallel()
	turn := calls("mcp_mail__list")
	turn.fields["status"], turn.fields["incomplete_details"] = "incomplete", map[string]any{"reason": "max_output_tokens"}
	g := newRig(t, newProvider(t, turn), options{})
	out, err := g.plan(1, at{"5", 1})
	require.NoError(t, err)
	require.Empty(t, out.Calls)
	require.Equal(t, "model_incomplete", out.Final.Code)
}

const countSchema = `{"type":"object","properties":{"mails":{"type":"integer"}},"required":["mails"],"additionalProperties":false}`

func TestOutputThatFitsItsSchema(t *testing.T) {
	t.Parallel()
	g := newRig(t, newProvider(t, text(`{"mails": 2}`)), options{schema: countSchema})
	out, err := g.plan(1, at{"5", 1})
	require.NoError(t, err)
	require.Equal(t, automation.Success, out.Final.State)
	require.JSONEq(t, `{"mails":2}`, string(g.output().Data))
	require.Equal(t, "json_schema", g.model.charged()[0].Text.Format.Type)
}

func TestOutputThatDoesNotFitIsCorrectedOnce(t *testing.T) {
	t.Parallel()
	g := newRig(t, newProvider(t, text("two mails"), text(`{"mails":"two"}`), text(`{"mails":2}`)), options{schema: countSchema})
	out, err := g.plan(1, at{"5", 1})
	require.NoError(t, err)
	require.Zero(t, out.Final, "one more turn")
	require.Empty(t, out.Calls)
	out, err = g.plan(2, at{"9", 1})
	require.NoError(t, err)
	require.Equal(t, "output_invalid", out.Final.Code)
	require.Equal(t, automation.Failed, out.Final.State)
	require.Contains(t, g.model.charged()[1].last(), "not fit the output schema")
	require.Nil(t, g.output().Data)
	require.Contains(t, g.output().Text, "two")
}

func TestFits(t *testing.T) {
	t.Parallel()
	for text, fit := range map[string]bool{
		`{"mails":2}`:            true,
		"  {\"mails\": 2}\n":     true,
		`{"mails":2}{"mails":3}`: false,
		`{"mails":2,"mails":3}`:  false,
		`{"mails":2,"x":1}`:      false,
		`{"mails":"2"}`:          false,
		"```json\n{}\n```":       false,
		``:                       false,
		`null`:                   false,
	} {
		_, err := fits([]byte(countSchema), text)
		require.Equal(t, fit, err == nil, "%s: %v", text, err)
	}
}
