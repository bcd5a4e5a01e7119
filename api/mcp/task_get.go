package mcp

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"steward/internal/auth"
	"steward/internal/automation"
)

// shownRun is what a task needs of a run as the HTTP API shows it.
type shownRun struct {
	whole json.RawMessage

	State  automation.State `json:"state"`
	Output *struct {
		Text string `json:"text"`
	} `json:"output"`
	Error *struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
	Waiting *struct {
		Reason string `json:"reason"`
		URL    string `json:"url"`
	} `json:"waiting"`
	Calls []shownCall `json:"tool_calls"`
}

type shownCall struct {
	ID       string         `json:"id"`
	Name     string         `json:"name"`
	Server   string         `json:"server"`
	Question *shownQuestion `json:"decision"`
}

func (t *tasks) get(ctx context.Context, _ *sdk.ServerSession, in *taskParams) (*taskShown, error) {
	p, row, err := t.find(ctx, in.TaskID)
	if err != nil {
		return nil, err
	}
	shown, err := t.shown(ctx, p, row.ID)
	if err != nil {
		return nil, err
	}
	out := &taskShown{Type: "complete", Questions: questionsOf(shown.Calls)}
	status := working
	switch {
	case shown.State == automation.Cancelled:
		status = taskCancelled
	case shown.State == automation.Success:
		status = completed
		out.Result = &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: shown.text()}}, StructuredContent: shown.whole}
	case shown.State.Terminal():
		status = taskFailed
		out.Error = shown.failure()
	case len(out.Questions) > 0:
		status = inputRequired
	}
	out.task = taskOf(row, status)
	out.Said = shown.said()
	return out, nil
}

// shown reads a run as the HTTP API shows it.
func (t *tasks) shown(ctx context.Context, p auth.Principal, id int64) (*shownRun, error) {
	doc, err := t.reader.Run(ctx, p, id)
	if err != nil {
		return nil, protocolError(err)
	}
	shown := shownRun{whole: doc}
	if err := json.Unmarshal(doc, &shown); err != nil {
		return nil, fmt.Errorf("read a run as it is shown: %w", err)
	}
	return &shown, nil
}

func (r *shownRun) text() string {
	if r.Output == nil {
		return ""
	}
	return r.Output.Text
}

// codeRunFailed is of the range that JSON-RPC leaves to servers and MCP has not taken.
const codeRunFailed = -32000

func (r *shownRun) failure() *jsonrpc.Error {
	failure := &jsonrpc.Error{Code: codeRunFailed, Message: "the run ended without success"}
	if r.Error == nil {
		return failure
	}
	failure.Message = r.Error.Message
	if data, err := json.Marshal(map[string]string{"code": r.Error.Code}); err == nil { // two strings always encode
		failure.Data = data
	}
	return failure
}

// said tells a person where the run stands.
func (r *shownRun) said() string {
	text := strings.ReplaceAll(string(r.State), "_", " ")
	if r.Waiting == nil {
		return text
	}
	text += ": " + r.Waiting.Reason
	if r.Waiting.URL != "" {
		text += ": " + r.Waiting.URL
	}
	return text
}
