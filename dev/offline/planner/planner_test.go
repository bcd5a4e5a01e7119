package planner_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/dev/offline/dialog"
	"steward/dev/offline/planner"
)

var today = time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)

// offered are 36 tools with the names and parameters of three well-known MCP servers: filesystem,
// everything and memory.
func offered(t testing.TB) []dialog.Tool {
	t.Helper()
	data, err := os.ReadFile("testdata/tools.json")
	require.NoError(t, err)
	var list []dialog.Tool
	require.NoError(t, json.Unmarshal(data, &list))
	return list
}

// TestTwentyInstructions holds what the planner must choose; "" means that it must decline.
func TestTwentyInstructions(t *testing.T) {
	t.Parallel()
	tools := offered(t)
	for _, c := range []struct{ instruction, tool, args string }{
		{`Read the file /srv/data/notes.txt`, "read_file|read_text_file", `{"path":"/srv/data/notes.txt"}`},
		{`Show me the first lines of /srv/data/log.txt, head 5`, "read_file|read_text_file", `{"head":5,"path":"/srv/data/log.txt"}`},
		{`List the directory /srv/data`, "list_directory", `{"path":"/srv/data"}`},
		{`List the folder /srv/data with sizes`, "list_directory_with_sizes", `{"path":"/srv/data"}`},
		{`Show the directory tree of /srv/data`, "directory_tree", `{"path":"/srv/data"}`},
		{`Search files in /srv/data for "*.md"`, "search_files", `{"path":"/srv/data","pattern":"*.md"}`},
		{`Create a directory /srv/data/new`, "create_directory", `{"path":"/srv/data/new"}`},
		{`Move the file /srv/data/a.txt to /srv/data/b.txt`, "move_file", `{"destination":"/srv/data/b.txt","source":"/srv/data/a.txt"}`},
		{`Write "hello world" to the file /srv/data/hello.txt`, "write_file", `{"content":"hello world","path":"/srv/data/hello.txt"}`},
		{`What is the size and last modified time of the file /srv/data/a.txt?`, "get_file_info", `{"path":"/srv/data/a.txt"}`},
		{`Read the files /srv/data/a.txt and /srv/data/b.txt at once, multiple files`, "read_multiple_files", `{"paths":["/srv/data/a.txt","/srv/data/b.txt"]}`},
		{`Which directories are allowed?`, "list_allowed_directories", `{}`},
		{`Echo hello from Steward`, "echo", `{"message":"hello from Steward"}`},
		{`add 17 and 25`, "get-sum", `{"a":17,"b":25}`},
		{`Show the environment variables`, "get-env", `{}`},
		{`Get the weather content for Chicago`, "get-structured-content", `{"location":"Chicago"}`},
		{`Search the knowledge graph nodes for "Alice"`, "search_nodes", `{"query":"Alice"}`},
		{`Read the entire knowledge graph`, "read_graph", `{}`},
		{`Book a flight to Lisbon for Friday`, "", ``},
		{`Who won the world cup in 2014?`, "", ``},
	} {
		t.Run(c.instruction, func(t *testing.T) {
			t.Parallel()
			reply := planner.Play(dialog.Dialog{Instruction: c.instruction, Today: today, Tools: tools, Parallel: true})
			if c.tool == "" {
				require.Empty(t, reply.Calls)
				require.Contains(t, reply.Text, "Not done")
				return
			}
			require.Len(t, reply.Calls, 1, reply.Text)
			require.Contains(t, strings.Split(c.tool, "|"), dialog.Tool{Name: reply.Calls[0].Name}.Short())
			require.JSONEq(t, c.args, reply.Calls[0].Arguments)
		})
	}
}

// sandbox are the tools of the bundled servers.
func sandbox() []dialog.Tool {
	tool := func(name, properties, required string) dialog.Tool {
		return dialog.Tool{Name: "mcp_" + name, Parameters: json.RawMessage(
			`{"type":"object","properties":{` + properties + `},"required":[` + required + `]}`)}
	}
	const s = `{"type":"string"}`
	return []dialog.Tool{
		tool("files__list_files", `"path":`+s, ``),
		tool("files__read_file", `"path":`+s, `"path"`),
		tool("files__search_files", `"query":`+s, `"query"`),
		tool("files__write_file", `"path":`+s+`,"content":`+s, `"path","content"`),
		tool("mailbox__get_email", `"id":`+s, `"id"`),
		tool("mailbox__search_emails", `"query":`+s+`,"after":`+s+`,"before":`+s+`,"from":`+s+`,"subject":`+s+`,"limit":{"type":"integer"}`, ``),
		tool("mailbox__send_email", `"to":`+s+`,"subject":`+s+`,"body":`+s, `"to","subject","body"`),
	}
}

func TestPlansOnTheSandbox(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		instruction string
		calls       []string // all calls of the plan
		says        string   // in the final text
	}{
		{`Search emails from ann@initech.example about budget`, []string{`search_emails {"from":"ann@initech.example","query":"budget"}`}, ""},
		{`Show my emails from yesterday with subject Budget, limit 5`, []string{`search_emails {"after":"2026-11-20","before":"2026-11-21","limit":5,"subject":"Budget"}`}, ""},
		{`get email 42`, []string{`get_email {"id":"42"}`}, ""},
		{`Email bob@example.com: subject 'Lunch', body 'At noon?'`, []string{`send_email {"body":"At noon?","subject":"Lunch","to":"bob@example.com"}`}, ""},
		{`Read a.txt, b.txt and c.txt`, []string{`read_file {"path":"a.txt"}`, `read_file {"path":"b.txt"}`, `read_file {"path":"c.txt"}`}, ""},
		{`Read a.txt, b.txt, c.txt, d.txt and e.txt`, []string{`read_file {"path":"a.txt"}`, `read_file {"path":"b.txt"}`, `read_file {"path":"c.txt"}`, `read_file {"path":"d.txt"}`}, "at most 4 calls"},
		{`list files in docs/, read docs/a.md; then search files for budget`, []string{`list_files {"path":"docs/"}`, `read_file {"path":"docs/a.md"}`, `search_files {"query":"budget"}`}, ""},
		{`Read notes/a.txt and then write "done" to notes/b.txt`, []string{`read_file {"path":"notes/a.txt"}`, `write_file {"content":"done","path":"notes/b.txt"}`}, ""},
		{`List the files and summarise them`, []string{`list_files {}`}, "Tools used: mcp_files__list_files."},
		{`Write the text hello there to out.txt`, []string{`write_file {"content":"hello there","path":"out.txt"}`}, ""},
		{`Send bob@example.com a note`, nil, "mcp_mailbox__send_email needs subject"},
		{`Read the file`, nil, "mcp_files__read_file needs path"},
		{`Delete all files`, nil, `"Delete all files": no offered tool fits`},
		{`Write a poem`, nil, "needs path"},
		{``, nil, "I did nothing. Offered tools: mcp_files__list_files, mcp_files__read_file"},
	} {
		t.Run(c.instruction, func(t *testing.T) {
			t.Parallel()
			d := dialog.Dialog{Instruction: c.instruction, Today: today, Tools: sandbox(), Parallel: true}
			var made []string
			reply := planner.Play(d)
			for len(reply.Calls) > 0 {
				require.Len(t, reply.Calls, 1)
				call := reply.Calls[0]
				made = append(made, dialog.Tool{Name: call.Name}.Short()+" "+call.Arguments)
				call.Output = `{"ok":true}`
				d.Calls = append(d.Calls, call)
				reply = planner.Play(d)
			}
			require.Equal(t, c.calls, made)
			require.True(t, strings.HasPrefix(reply.Text, dialog.Prefix))
			require.Contains(t, reply.Text, c.says)
		})
	}
}

func TestExtractNamesToolsAndFigures(t *testing.T) {
	t.Parallel()
	d := dialog.Dialog{Instruction: "List the files", Tools: sandbox(), Calls: []dialog.Call{
		{Name: "mcp_files__list_files", Arguments: `{}`, Output: "<tool-result source=\"files/list_files\">\n" +
			`{"files":[{"path":"a.txt","size":10},{"path":"b.txt","size":32}],"root":"docs"}` + "\n</tool-result>"},
	}}
	require.Equal(t, "[offline rules] 1. mcp_files__list_files {}: 2 files (a.txt, b.txt), sum of size = 42; root = docs\n"+
		"Tools used: mcp_files__list_files.", planner.Play(d).Text)
	d.Calls[0].Output = "error: denied by the user"
	require.Contains(t, planner.Play(d).Text, "failed: error: denied by the user")
	d.Calls[0].Output = "[FILE] a.txt\n[DIR] docs"
	require.Contains(t, planner.Play(d).Text, "2 lines: [FILE] a.txt / [DIR] docs")
	d.Calls, d.NoCalls = nil, true
	require.Empty(t, planner.Play(d).Calls)
}
