package scenario_test

import (
	"encoding/json"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"steward/dev/offline/dialog"
	"steward/dev/offline/scenario"
)

// load reads one scenario from text.
func load(t *testing.T, text string) *scenario.Scenario {
	t.Helper()
	list, err := scenario.Load(fstest.MapFS{"one.yaml": {Data: []byte(text)}})
	require.NoError(t, err)
	require.Len(t, list, 1)
	return list[0]
}

func task(instruction string, calls ...dialog.Call) dialog.Dialog {
	schema := json.RawMessage(`{"properties":{"id":{"type":"integer"},"flag":{"type":"boolean"},"lines":{"type":"array"},"day":{},"n":{}}}`)
	return dialog.Dialog{
		Instruction: instruction,
		Today:       time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC),
		Tools:       []dialog.Tool{{Name: "mcp_a__list_things"}, {Name: "mcp_a__get_thing", Parameters: schema}},
		Calls:       calls,
		Parallel:    true,
	}
}

const things = `
name: things
match: {all: ["thing*"], any: ["show", "list"], none: ["delete*"], regex: 'now|later'}
needs: {list: "*list*", get: "*get*"}
wants: {send: "*send*"}
capture: {word: 'called (\w+)'}
steps:
  - {as: all, call: list, args: {}}
  - as: each
    call: get
    each: all.things[*]
    cap: 2
    args: {id: '{{ pick .Item "id" }}', flag: 'true', lines: "a\nb", day: '{{ .Today "-1w" }}', n: 5, unknown: x}
  - {as: mail, call: send, args: {}}
final: '{{ .Var "word" }}: {{ join "+" (.List "each[*].n") }}'
`

func TestPlayFollowsTheSteps(t *testing.T) {
	t.Parallel()
	s := load(t, things)
	d := task("Show things called X now")
	reply, ok := s.Play(d)
	require.True(t, ok)
	require.Equal(t, []dialog.Call{{Name: "mcp_a__list_things", Arguments: "{}"}}, reply.Calls)

	d.Calls = append(d.Calls, dialog.Call{Name: "mcp_a__list_things", Output: `{"things":[{"id":7},{"id":"8"},{"id":9}]}`})
	reply, _ = s.Play(d)
	require.Equal(t, []dialog.Call{
		{Name: "mcp_a__get_thing", Arguments: `{"day":"2026-11-14","flag":true,"id":7,"lines":["a","b"],"n":5}`},
		{Name: "mcp_a__get_thing", Arguments: `{"day":"2026-11-14","flag":true,"id":8,"lines":["a","b"],"n":5}`},
	}, reply.Calls, "typed by the schema, capped, without what the tool does not know")

	d.Calls = append(d.Calls, dialog.Call{Name: "mcp_b__foreign"}, dialog.Call{Name: "mcp_a__get_thing", Output: `{"n":1}`})
	reply, _ = s.Play(d)
	require.Len(t, reply.Calls, 1, "only what is missing is asked for; calls of others do not count")

	d.Calls = append(d.Calls, dialog.Call{Name: "mcp_a__get_thing", Output: `{"n":2}`})
	reply, _ = s.Play(d)
	require.Equal(t, "[offline rules] X: 1+2\nTools used: mcp_a__list_things (1), mcp_a__get_thing (2).", reply.Text)
}

func TestPlayDeclines(t *testing.T) {
	t.Parallel()
	s := load(t, things)
	for _, instruction := range []string{"Show now", "things now", "Show and delete things now", "Show things"} {
		_, ok := s.Play(task(instruction))
		require.False(t, ok, instruction)
	}
	d := task("Show things now")
	d.Tools = d.Tools[:1]
	_, ok := s.Play(d)
	require.False(t, ok, "a needed tool is not offered")
	d = task("Show things now")
	d.NoCalls = true
	_, ok = s.Play(d)
	require.False(t, ok, "calls are not allowed")
	d = task("Show things now")
	d.Tools[0].Parameters = json.RawMessage(`{"required":["secret"]}`)
	_, ok = s.Play(d)
	require.False(t, ok, "a value is not known")
}

func TestIfErrorTakesTheOtherWay(t *testing.T) {
	t.Parallel()
	s := load(t, `
name: recover
match: {all: ["go"]}
needs: {list: "*list*", get: "*get*"}
steps:
  - {as: one, call: get, args: {}, if_error: {as: other, call: list, args: {}}}
final: '{{ if .Done "one" }}one{{ else }}{{ .Failure "one" }}, so {{ .Get "other" }}{{ end }}'
`)
	failed := dialog.Call{Name: "mcp_a__get_thing", Output: "error: gone"}
	reply, _ := s.Play(task("go", failed))
	require.Equal(t, "mcp_a__list_things", reply.Calls[0].Name)
	reply, _ = s.Play(task("go", failed, dialog.Call{Name: "mcp_a__list_things", Output: "plenty"}))
	require.Contains(t, reply.Text, "error: gone, so plenty")
	reply, _ = s.Play(task("go", failed, dialog.Call{Name: "mcp_a__list_things", Output: "error: too"}))
	require.Contains(t, reply.Text, "I stopped because mcp_a__list_things failed: error: too")
	reply, _ = s.Play(task("go", dialog.Call{Name: "mcp_a__get_thing", Output: "fine"}))
	require.Contains(t, reply.Text, "one\nTools used: mcp_a__get_thing (1).")
}

// A hostile table name must not become SQL.
func TestIdentifiersAreChecked(t *testing.T) {
	t.Parallel()
	s := load(t, `
name: sql
match: {all: ["go"]}
needs: {list: "*list*", get: "*get*"}
steps:
  - {as: all, call: list, args: {}}
  - {as: each, call: get, each: "all[*]", args: {n: '{{ ident .Item }}'}}
final: x
`)
	reply, ok := s.Play(task("go", dialog.Call{Name: "mcp_a__list_things", Output: `["orders","public.users"]`}))
	require.True(t, ok)
	require.Len(t, reply.Calls, 2)
	_, ok = s.Play(task("go", dialog.Call{Name: "mcp_a__list_things", Output: `["orders; drop table x"]`}))
	require.False(t, ok)
}

// Other mail servers name things differently; the scenario of the seed works with them too.
func TestInvoiceScenarioOnAnotherMailServer(t *testing.T) {
	t.Parallel()
	list, err := scenario.Load(scenario.Builtin())
	require.NoError(t, err)
	d := dialog.Dialog{
		Instruction: "Summarise last week's invoice emails",
		Today:       time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC),
		Parallel:    true,
		Tools: []dialog.Tool{
			{Name: "mcp_gmail__search_messages", Parameters: json.RawMessage(`{"properties":{"q":{"type":"string"}},"required":["q"]}`)},
			{Name: "mcp_gmail__get_message", Parameters: json.RawMessage(`{"properties":{"messageId":{"type":"string"}},"required":["messageId"]}`)},
		},
	}
	reply, ok := list[0].Play(d)
	require.True(t, ok)
	require.Equal(t, []dialog.Call{{Name: "mcp_gmail__search_messages", Arguments: `{"q":"invoice"}`}}, reply.Calls)
	d.Calls = []dialog.Call{{Name: "mcp_gmail__search_messages", Output: `{"messages":[{"id":"x1"}]}`}}
	reply, _ = list[0].Play(d)
	require.Equal(t, []dialog.Call{{Name: "mcp_gmail__get_message", Arguments: `{"messageId":"x1"}`}}, reply.Calls)
}

// The database of seed 002: the rows are mailed with the sums of what are figures in all of them.
func TestReportIsMailed(t *testing.T) {
	t.Parallel()
	list, err := scenario.Load(scenario.Builtin())
	require.NoError(t, err)
	d := dialog.Dialog{
		Instruction: "Run SELECT campaign_name, spend, clicks FROM campaigns; and email the summary to marketing@company.example",
		Today:       time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC),
		Tools: []dialog.Tool{
			{Name: "DB_QUERY_db_abc", Parameters: json.RawMessage(`{"properties":{"query":{"type":"string"}},"required":["query"]}`)},
			{Name: "GMAIL_SEND_EMAIL", Parameters: json.RawMessage(`{"properties":{"to":{"type":"array","items":{"type":"string"}},"subject":{"type":"string"},"body":{"type":"string"}},"required":["subject","body"]}`)},
		},
	}
	play := func() dialog.Reply {
		for _, s := range list {
			if reply, ok := s.Play(d); ok {
				return reply
			}
		}
		require.FailNow(t, "no scenario")
		return dialog.Reply{}
	}
	require.JSONEq(t, `{"query":"SELECT campaign_name, spend, clicks FROM campaigns"}`, play().Calls[0].Arguments)
	d.Calls = append(d.Calls, dialog.Call{Name: "DB_QUERY_db_abc", Output: `{"columns":["campaign_name","spend","clicks"],"rows":[
		{"campaign_name":"Black Friday","spend":"5000.50","clicks":15000},{"campaign_name":"Holiday Sale","spend":3000,"clicks":8000}]}`})
	mail := play().Calls[0]
	require.Equal(t, "GMAIL_SEND_EMAIL", mail.Name)
	require.Contains(t, mail.Arguments, `"to":["marketing@company.example"]`)
	require.Contains(t, mail.Arguments, "Total: clicks 23000, spend 8000.50")
	d.Calls = append(d.Calls, dialog.Call{Name: "GMAIL_SEND_EMAIL", Output: `{"messageId":"m1","status":"sent"}`})
	require.Contains(t, play().Text, "Sent to marketing@company.example.")
}
