package tool_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"steward/internal/launch/process"
	"steward/internal/mcpclient"
)

// The test binary is also the MCP server that it calls: a real child process over stdio, whose effects are
// files in a folder and which dies where it is told to.
const (
	serverFolder = "STEWARD_TEST_MCP_FOLDER"
	serverKind   = "STEWARD_TEST_MCP_KIND" // "world": what hostile models are let loose on
)

func TestMain(m *testing.M) {
	process.Become()
	if dir := os.Getenv(serverFolder); dir != "" {
		serves := server
		switch os.Getenv(serverKind) {
		case "world":
			serves = world
		case "tokens":
			serves = workspace
		}
		_ = serves(dir).Run(context.Background(), &mcp.StdioTransport{})
		os.Exit(0)
	}
	os.Exit(m.Run())
}

type sendIn struct {
	Text string `json:"text"`
}

type sendOut struct {
	Sent string `json:"sent"`
}

type probeIn struct {
	Key string `json:"key"`
}

type probeOut struct {
	Outcome string `json:"outcome"`
}

// server offers send (an effect with a probe), post (an effect without), put (idempotent), get (a read)
// and leak (prints a secret of its environment).
func server(dir string) *mcp.Server {
	s := mcp.NewServer(&mcp.Implementation{Name: "test", Version: "1"}, nil)
	yes, no := true, false
	effect := &mcp.ToolAnnotations{DestructiveHint: &yes, OpenWorldHint: &no}
	act := func(_ context.Context, r *mcp.CallToolRequest, in sendIn) (*mcp.CallToolResult, sendOut, error) {
		return perform(dir, r, in)
	}
	mcp.AddTool(s, &mcp.Tool{Name: "send", Annotations: effect, Meta: mcp.Meta{
		"dev.steward/probe": map[string]string{"tool": "sent", "argument": "key"},
	}}, act)
	mcp.AddTool(s, &mcp.Tool{Name: "post", Annotations: effect}, act)
	mcp.AddTool(s, &mcp.Tool{Name: "put", Annotations: &mcp.ToolAnnotations{IdempotentHint: true}}, act)
	mcp.AddTool(s, &mcp.Tool{Name: "get", Annotations: &mcp.ToolAnnotations{ReadOnlyHint: true}}, act)
	mcp.AddTool(s, &mcp.Tool{Name: "leak", Annotations: &mcp.ToolAnnotations{ReadOnlyHint: true}},
		func(context.Context, *mcp.CallToolRequest, struct{}) (*mcp.CallToolResult, any, error) {
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "key=" + os.Getenv("API_KEY")}}}, nil, nil
		})
	mcp.AddTool(s, &mcp.Tool{Name: "sent", Annotations: &mcp.ToolAnnotations{ReadOnlyHint: true}, Meta: mcp.Meta{"dev.steward/probe-only": true}},
		func(_ context.Context, _ *mcp.CallToolRequest, in probeIn) (*mcp.CallToolResult, probeOut, error) {
			if m, _ := filepath.Glob(filepath.Join(dir, in.Key+"-*")); len(m) > 0 {
				return nil, probeOut{"done"}, nil
			}
			return nil, probeOut{"not_done"}, nil
		})
	return s
}

// perform leaves one file per effect, named by the call's key. Words of the text choose a death; a death
// happens once, so that a second attempt gets through.
func perform(dir string, r *mcp.CallToolRequest, in sendIn) (*mcp.CallToolResult, sendOut, error) {
	key, _ := r.Params.Meta[mcpclient.CallKeyMeta].(string)
	first := func(word string) bool {
		if !strings.Contains(in.Text, word) {
			return false
		}
		f, err := os.OpenFile(filepath.Join(dir, "died-"+word+"-"+key), os.O_CREATE|os.O_EXCL, 0o600)
		if err == nil {
			_ = f.Close()
		}
		return err == nil
	}
	if first("die-before") {
		os.Exit(3)
	}
	if in.Text == "big" {
		return nil, sendOut{strings.Repeat("x", 2<<20)}, nil
	}
	if in.Text == "refuse" {
		return &mcp.CallToolResult{IsError: true, Content: []mcp.Content{&mcp.TextContent{Text: "mailbox full"}}}, sendOut{}, nil
	}
	f, err := os.CreateTemp(dir, key+"-*")
	if err != nil {
		return nil, sendOut{}, err
	}
	defer func() { _ = f.Close() }()
	if err := json.NewEncoder(f).Encode(in); err != nil {
		return nil, sendOut{}, err
	}
	if first("die-after") {
		os.Exit(4)
	}
	if first("hang-after") {
		select {}
	}
	return nil, sendOut{in.Text}, nil
}
