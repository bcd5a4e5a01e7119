package offline_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/responses"
	"github.com/stretchr/testify/require"
)

const seed = "Find all emails from last week about invoices and summarise them"

// searched and read are the first two turns of every invoice conversation.
var (
	searched = turn{`mcp_mailbox__search_emails {"after":"2026-11-14","before":"2026-11-22","limit":50,"query":"invoice"}`}
	read     = turn{
		`mcp_mailbox__get_email {"id":"m3"}`, `mcp_mailbox__get_email {"id":"m1"}`,
		`mcp_mailbox__get_email {"id":"m4"}`, `mcp_mailbox__get_email {"id":"m2"}`,
	}
)

const summary = `[offline rules] 4 emails about invoices from 2026-11-14 to 2026-11-21:
- 2026-11-16 | billing@acme.example | Invoice 1042 | EUR 1,234.50
- 2026-11-18 | pay@globex.example | Your invoice | USD 99.00
- 2026-11-19 | billing@acme.example | Invoice 1043 | EUR 1,250.00
- 2026-11-20 | ann@initech.example | Re: invoice question | no amounts
Total: EUR 2,484.50, USD 99.00
Senders: billing@acme.example (2), ann@initech.example (1), pay@globex.example (1)`

func TestInvoiceSummary(t *testing.T) {
	t.Parallel()
	turns, final := play(t, client(start(t, now)), ask(seed, mailTools()...), mailbox())
	require.Equal(t, []turn{searched, read}, turns)
	require.Equal(t, summary+"\nTools used: mcp_mailbox__search_emails (1), mcp_mailbox__get_email (4).", final)
}

func TestInvoiceSumIsMailed(t *testing.T) {
	t.Parallel()
	const sent = `mcp_mailbox__send_email {"body":"4 emails about invoices from 2026-11-14 to 2026-11-21\n` +
		`- 2026-11-16 | billing@acme.example | Invoice 1042 | EUR 1,234.50\n` +
		`- 2026-11-18 | pay@globex.example | Your invoice | USD 99.00\n` +
		`- 2026-11-19 | billing@acme.example | Invoice 1043 | EUR 1,250.00\n` +
		`- 2026-11-20 | ann@initech.example | Re: invoice question | no amounts\n` +
		`Total: EUR 2,484.50, USD 99.00","subject":"Invoices from 2026-11-14 to 2026-11-21: EUR 2,484.50, USD 99.00","to":"me@example.com"}`
	llm := client(start(t, now))
	for _, instruction := range []string{
		seed + ", and mail me the sum at me@example.com",
		seed + ". Send the total to me@example.com.",
		"Summarise last week's invoice emails, then please e-mail the total to me@example.com",
		"Send the sum of last week's invoices to me@example.com",
		"Find all emails from last week about invoices, total them and send the sum to me@example.com",
	} {
		turns, final := play(t, llm, ask(instruction, mailTools()...), mailbox())
		require.Equal(t, []turn{searched, read, {sent}}, turns, instruction)
		require.Equal(t, summary+"\nSent the sum to me@example.com (message out-1)."+
			"\nTools used: mcp_mailbox__search_emails (1), mcp_mailbox__get_email (4), mcp_mailbox__send_email (1).", final)
	}
}

// What the text does not say is not done: each of these ends with the summary and a reason.
func TestInvoiceSumIsNotMailed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		instruction string
		tools       []responses.ToolUnionParam
		change      func(tools)
		says        string
	}{
		"no address": {seed + " and send the total to Bob", mailTools(), nil, "Not sent: the instruction names no address (\"send the total to Bob\")."},
		"no tool":    {seed + " and mail the sum to a@b.example", mailTools()[:2], nil, "Not sent: no tool for sending mail is offered."},
		"denied": {seed + " and mail the sum to a@b.example", mailTools(), func(f tools) {
			f["mcp_mailbox__send_email"] = func(map[string]any) string { return "error: denied by Ann" }
		}, "The sum was not sent to a@b.example.\nFailed: mcp_mailbox__send_email: error: denied by Ann"},
		"mail from an address is no wish": {"Find last week's invoice emails from pay@globex.example", mailTools(), nil, "Senders: billing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := mailbox()
			if c.change != nil {
				c.change(fake)
			}
			turns, final := play(t, client(start(t, now)), ask(c.instruction, c.tools...), fake)
			require.Equal(t, []turn{searched, read}, turns[:2])
			require.True(t, strings.HasPrefix(final, summary))
			require.Contains(t, final, c.says)
			require.NotContains(t, final, "Sent the sum")
		})
	}
}

func TestInvoiceSummaryOfLittle(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		search func(map[string]any) string
		get    func(map[string]any) string
		says   []string
	}{
		"nothing found": {
			func(map[string]any) string { return `{"emails":[],"total":0}` }, nil,
			[]string{"[offline rules] No emails about invoices found from 2026-11-14 to 2026-11-21."},
		},
		"search fails": {
			func(map[string]any) string { return "error: mailbox is locked" }, nil,
			[]string{"I stopped because mcp_mailbox__search_emails failed: error: mailbox is locked"},
		},
		"search is cut": {
			func(map[string]any) string { return `{"emails":[{"id":"m1"},{"id":"m2","subj` }, nil,
			[]string{"2 emails about invoices", "Total: EUR 1,234.50, USD 99.00", "Some tool output was cut"},
		},
		"one mail fails": {nil, func(args map[string]any) string {
			if args["id"] == "m1" {
				return "error: gone"
			}
			return mailbox()["mcp_mailbox__get_email"](args)
		}, []string{"3 emails", "Total: EUR 1,250.00, USD 99.00", "Only 3 of 4 hits were read.", "Failed: mcp_mailbox__get_email: error: gone"}},
		"amounts beside the body": {func(map[string]any) string { return `{"emails":[{"id":7}],"total":90}` }, func(map[string]any) string {
			return `{"id":7,"from":"x","subject":"s","date":"Mon, 16 Nov 2026 09:00:00 +0100","body":"see below","amounts":[{"currency":"EUR","amount":12.5}]}`
		}, []string{"- 2026-11-16 | x | s | EUR 12.50", "Only 1 of 90 hits were read."}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := mailbox()
			if c.search != nil {
				fake["mcp_mailbox__search_emails"] = c.search
			}
			if c.get != nil {
				fake["mcp_mailbox__get_email"] = c.get
			}
			_, final := play(t, client(start(t, now)), ask(seed, mailTools()...), fake)
			for _, says := range c.says {
				require.Contains(t, final, says)
			}
		})
	}
}

func TestTodayComesFromTheSystemText(t *testing.T) {
	t.Parallel()
	params := ask(seed, mailTools()...)
	params.Instructions = openai.String("You are careful.\nToday is 2026-03-05 (UTC).")
	turns, _ := play(t, client(start(t, now)), params, mailbox())
	require.Contains(t, turns[0][0], `"after":"2026-02-26","before":"2026-03-06"`)
}

func TestCallsCanBeAskedForOneByOne(t *testing.T) {
	t.Parallel()
	params := ask(seed, mailTools()...)
	params.ParallelToolCalls = param.NewOpt(false)
	turns, final := play(t, client(start(t, now)), params, mailbox())
	require.Len(t, turns, 5)
	require.Equal(t, turn{read[2]}, turns[3])
	require.True(t, strings.HasPrefix(final, summary))
}

func TestOtherConversations(t *testing.T) {
	t.Parallel()
	none := map[string]any{}
	path := map[string]any{"path": str()}
	files := []responses.ToolUnionParam{
		function("mcp_files__list_files", "Lists files.", path),
		function("mcp_files__read_file", "Reads a file.", path, "path"),
		function("mcp_files__write_file", "Writes a file.", map[string]any{"path": str(), "content": str()}, "path", "content"),
	}
	disk := tools{
		"mcp_files__list_files": func(map[string]any) string {
			return `{"files":[{"path":"docs/a.md"},{"path":"docs/sub","folder":true},{"path":"docs/b.md","folder":false}]}`
		},
		"mcp_files__read_file": func(args map[string]any) string {
			if !strings.HasPrefix(args["path"].(string), "docs/") {
				return "error: no such file"
			}
			return fmt.Sprintf(`{"path":%q,"content":"First line\nsecond"}`, args["path"])
		},
	}
	sql := []responses.ToolUnionParam{
		function("mcp_db__list_tables", "Lists tables.", none),
		function("mcp_db__run_query", "Runs a query.", map[string]any{"sql": str()}, "sql"),
	}
	database := tools{
		"mcp_db__list_tables": func(map[string]any) string { return `{"tables":[{"name":"orders"},{"name":"users"}]}` },
		"mcp_db__run_query":   func(map[string]any) string { return `{"rows":[{"name":"orders","n":3}]}` },
	}
	for name, c := range map[string]struct {
		instruction string
		tools       []responses.ToolUnionParam
		fake        tools
		turns       []turn
		final       string
	}{
		"calendar brief": {
			"What meetings are in my calendar tomorrow? Give me a brief",
			[]responses.ToolUnionParam{function("mcp_cal__list_events", "Lists events.", map[string]any{"time_min": str(), "time_max": str()})},
			tools{"mcp_cal__list_events": func(map[string]any) string {
				return `{"events":[{"summary":"Review","start":{"dateTime":"2026-11-22T15:00:00Z"}},{"summary":"Standup","start":{"dateTime":"2026-11-22T09:00:00Z"},"location":"Room 1"}]}`
			}},
			[]turn{{`mcp_cal__list_events {"time_max":"2026-11-23T00:00:00Z","time_min":"2026-11-22T00:00:00Z"}`}},
			"2 events from 2026-11-22 to 2026-11-22:\n- 2026-11-22 09:00 | Standup | Room 1\n- 2026-11-22 15:00 | Review\nTools used: mcp_cal__list_events (1).",
		},
		"SQL report": {
			"Report how many rows every table of the database has", sql, database,
			[]turn{{"mcp_db__list_tables {}"}, {
				`mcp_db__run_query {"sql":"SELECT 'orders' AS name, count(*) AS n FROM orders"}`,
				`mcp_db__run_query {"sql":"SELECT 'users' AS name, count(*) AS n FROM users"}`,
			}},
			"2 tables:\n- orders: 3 rows\n- orders: 3 rows\nTools used: mcp_db__list_tables (1), mcp_db__run_query (2).",
		},
		"own SQL": {
			"Run this SQL: select * from orders where n > 2;", sql, database,
			[]turn{{`mcp_db__run_query {"sql":"select * from orders where n > 2"}`}},
			"The query returned 1 rows.\n- {\"n\":3,\"name\":\"orders\"}\nTools used: mcp_db__run_query (1).",
		},
		"file digest": {
			"Give me a digest of the files in the folder docs/", files, disk,
			[]turn{{`mcp_files__list_files {"path":"docs/"}`}, {`mcp_files__read_file {"path":"docs/a.md"}`, `mcp_files__read_file {"path":"docs/b.md"}`}},
			"2 files read in docs/:\n- docs/a.md: 2 lines, 3 words: First line second\n- docs/b.md: 2 lines, 3 words: First line second\n" +
				"Tools used: mcp_files__list_files (1), mcp_files__read_file (2).",
		},
		"a tool fails, then recovers": {
			"Read report.txt, otherwise recover", files, disk,
			[]turn{{`mcp_files__read_file {"path":"report.txt"}`}, {`mcp_files__list_files {"path":"."}`}},
			"report.txt could not be read, so I listed what is there: {\"files\":[{\"path\":\"docs/a.md\"},{\"folder\":true,\"path\":\"docs/sub\"},{\"folder\":false,\"path\":\"docs/b.md\"}]}\n" +
				"Failed: mcp_files__read_file: error: no such file\nTools used: mcp_files__read_file (1), mcp_files__list_files (1).",
		},
		"a tool works, no recovery": {
			"Read docs/a.md or recover", files, disk,
			[]turn{{`mcp_files__read_file {"path":"docs/a.md"}`}},
			"docs/a.md: First line second\nTools used: mcp_files__read_file (1).",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			turns, final := play(t, client(start(t, now)), ask(c.instruction, c.tools...), c.fake)
			require.Equal(t, c.turns, turns)
			require.Equal(t, "[offline rules] "+c.final, final)
		})
	}
}
