package planner_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	chk "github.com/stretchr/testify/assert"
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
		reply := planner.Play(dialog.Dialog{Instruction: c.instruction, Today: today, Tools: tools, Parallel: true})
		if c.tool == "" {
			chk.Empty(t, reply.Calls, c.instruction)
			chk.Contains(t, reply.Text, "Not done", c.instruction)
			continue
		}
		if !chk.Len(t, reply.Calls, 1, "%s: %s", c.instruction, reply.Text) {
			continue
		}
		chk.Contains(t, strings.Split(c.tool, "|"), dialog.Tool{Name: reply.Calls[0].Name}.Short(), c.instruction)
		chk.JSONEq(t, c.args, reply.Calls[0].Arguments, c.instruction)
	}
}
