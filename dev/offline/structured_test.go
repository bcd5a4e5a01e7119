package offline_test

import (
	"encoding/json"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/responses"
	"github.com/stretchr/testify/require"
)

const invoiceSchema = `{"type":"object","properties":{"total":{"type":"number"},"currency":{"type":"string"},"count":{"type":"integer"},"summary":{"type":"string"}},"required":["total","currency","count","summary"],"additionalProperties":false}`

// invoiceTask asks for the main job as data.
func invoiceTask(t *testing.T, schema string) responses.ResponseNewParams {
	t.Helper()
	params := ask("Find all emails from last week about invoices and summarise them", mailTools()...)
	var s map[string]any
	require.NoError(t, json.Unmarshal([]byte(schema), &s))
	params.Text = responses.ResponseTextConfigParam{Format: responses.ResponseFormatTextConfigUnionParam{
		OfJSONSchema: &responses.ResponseFormatTextJSONSchemaConfigParam{Name: "result", Schema: s, Strict: param.NewOpt(false)},
	}}
	return params
}

// The calls are those of an answer in prose; only the last turn is data. The mailbox has invoices in
// two currencies, so total and currency are those of the first, and the summary names both.
func TestInvoicesAsData(t *testing.T) {
	t.Parallel()
	llm := client(start(t, now))
	turns, final := play(t, llm, invoiceTask(t, invoiceSchema), mailbox())
	plain, prose := play(t, llm, ask("Find all emails from last week about invoices and summarise them", mailTools()...), mailbox())
	require.Equal(t, plain, turns)

	var s jsonschema.Schema
	require.NoError(t, json.Unmarshal([]byte(invoiceSchema), &s))
	resolved, err := s.Resolve(nil)
	require.NoError(t, err)
	var got map[string]any
	require.NoError(t, json.Unmarshal([]byte(final), &got))
	require.NoError(t, resolved.Validate(got))
	require.Equal(t, map[string]any{"total": 2484.5, "currency": "EUR", "count": 4.0, "summary": prose}, got)
	require.Contains(t, prose, "[offline rules] 4 emails about invoices")
	require.Contains(t, prose, "Total: EUR 2,484.50, USD 99.00")
}

// The schema stands in the response as it was asked for, and one that cannot be filled gets prose.
func TestDataThatCannotBeBuilt(t *testing.T) {
	t.Parallel()
	llm := client(start(t, now))
	params := invoiceTask(t, `{"type":"object","properties":{"code":{"type":"string","pattern":"^\\d{9}$"}},"required":["code"]}`)
	params.Tools = nil
	got, err := llm.Responses.New(t.Context(), params)
	require.NoError(t, err)
	require.Regexp(t, `^\[offline rules\] Not done`, got.OutputText())
	require.Equal(t, "result", got.Text.Format.Name)
	require.Equal(t, "json_schema", got.Text.Format.Type)
}

// Free text that no scenario is for: the planner's count and sum.
func TestPlanAsData(t *testing.T) {
	t.Parallel()
	params := ask("Search the mailbox for \"offers\"", mailTools()...)
	params.Text = invoiceTask(t, `{"type":"object","properties":{"count":{"type":"integer"},"sum":{"type":"number"},"offers":{"type":"array","items":{"type":"string"}},"answer":{"type":"string"}},"required":["count","sum","answer"]}`).Text
	turns, final := play(t, client(start(t, now)), params, tools{
		"mcp_mailbox__search_emails": func(map[string]any) string { return `{"emails":[{"size":3},{"size":4}]}` },
	})
	require.Len(t, turns, 1)
	require.Contains(t, final, `"count":2,`)
	require.Contains(t, final, `"sum":7`)
	require.Contains(t, final, `{"answer":"[offline rules] `)
}

// What is no final text stays what it is.
func TestSimulationsOfWhatIsNoAnswerStay(t *testing.T) {
	t.Parallel()
	llm := client(start(t, now))
	for words, want := range map[string]string{"refuse": "", "incomplete": "max_output_tokens"} {
		params := invoiceTask(t, invoiceSchema)
		params.Input = ask("Hello\n#sim: " + words).Input
		got, err := llm.Responses.New(t.Context(), params)
		require.NoError(t, err)
		require.Equal(t, want, got.IncompleteDetails.Reason)
		require.NotContains(t, got.OutputText(), "{")
	}
}
