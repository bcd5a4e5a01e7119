package planner

import (
	"encoding/json"
	"fmt"
	"steward/dev/offline/dialog"
	"testing"
	"time"
)

func TestDbg(t *testing.T) {
	S := `{"type":"string"}`
	l := []dialog.Tool{
		{Name: "mcp_mailbox__search_emails", Description: "Search the mailbox", Parameters: json.RawMessage(`{"type":"object","properties":{"query":` + S + `,"after":` + S + `,"before":` + S + `,"from":` + S + `,"subject":` + S + `,"limit":{"type":"integer"}}}`)},
		{Name: "mcp_mailbox__get_email", Description: "Read one email", Parameters: json.RawMessage(`{"type":"object","properties":{"id":` + S + `},"required":["id"]}`)},
		{Name: "mcp_mailbox__send_email", Description: "Send an email", Parameters: json.RawMessage(`{"type":"object","properties":{"to":` + S + `,"subject":` + S + `,"body":` + S + `},"required":["to","subject","body"]}`)},
		{Name: "mcp_files__list_files", Description: "List files", Parameters: json.RawMessage(`{"type":"object","properties":{"path":` + S + `}}`)},
		{Name: "mcp_files__read_file", Description: "Read a file", Parameters: json.RawMessage(`{"type":"object","properties":{"path":` + S + `},"required":["path"]}`)},
		{Name: "mcp_files__write_file", Description: "Write a file", Parameters: json.RawMessage(`{"type":"object","properties":{"path":` + S + `,"content":` + S + `},"required":["path","content"]}`)},
		{Name: "mcp_files__search_files", Description: "Search files", Parameters: json.RawMessage(`{"type":"object","properties":{"query":` + S + `},"required":["query"]}`)},
	}
	for _, c := range []string{"Search emails from ann@initech.example about budget", "Send an email to bob@example.com with subject \"Hi\" and body \"See you\"", "Send bob@example.com a note", "Delete all files",
		"Read notes/a.txt and then write \"done\" to notes/b.txt", "List the files and summarise them", "Find emails from last week", "find the file with TODO", "Search the files for TODO", "Show my emails from yesterday with subject Budget, limit 5", "get email 42",
		"Write a poem", "Email bob@example.com: subject 'Lunch', body 'At noon?'", "Read a.txt, b.txt and c.txt", "What is in my inbox?", "list files in docs/, read docs/a.md; then search files for budget", "Read the file", "Look up the mail about the Lisbon trip", "forward email 42 to bob@example.com", "Write the text hello there to out.txt", "Please read README.md."} {
		p := makePlan(dialog.Dialog{Instruction: c, Tools: l, Parallel: true, Today: time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)})
		fmt.Printf("%s\n", c)
		for _, x := range p.calls {
			fmt.Println("     ", x.Name, x.Arguments)
		}
		for _, x := range p.missing {
			fmt.Printf("      ?? %q %s %v\n", x.clause, x.tool, x.lacking)
		}
	}
}
