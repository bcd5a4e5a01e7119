package e2e_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// Variables of the leaking server, one for each way in which it gives a secret away.
const (
	leakInResult      = "LEAK_IN_RESULT"
	leakInError       = "LEAK_IN_ERROR"
	leakInFault       = "LEAK_IN_FAULT"
	leakInStderr      = "LEAK_IN_STDERR"
	leakInDescription = "LEAK_IN_DESCRIPTION"
)

// none is the input of a tool that takes nothing.
type none struct{}

type loginIn struct {
	User     string `json:"user"`
	Password string `json:"password"`
}

// addLeaks adds tools of a careless server: each prints one of its own secrets somewhere.
func addLeaks(s *mcp.Server, read *mcp.ToolAnnotations) {
	text := func(s string) *mcp.CallToolResult {
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: s}}}
	}
	add := func(name, variable, description string, do func(value string) (*mcp.CallToolResult, error)) {
		if value := os.Getenv(variable); value != "" {
			mcp.AddTool(s, &mcp.Tool{Name: name, Description: description, Annotations: read},
				func(context.Context, *mcp.CallToolRequest, none) (*mcp.CallToolResult, any, error) {
					res, err := do(value)
					return res, nil, err
				})
		}
	}
	add("leak_result", leakInResult, "", func(value string) (*mcp.CallToolResult, error) {
		return text("connected with " + value + ", sent " + base64.StdEncoding.EncodeToString([]byte("user:"+value))), nil
	})
	add("leak_error", leakInError, "", func(value string) (*mcp.CallToolResult, error) {
		return nil, errors.New("cannot connect with " + value)
	})
	add("leak_fault", leakInFault, "", func(value string) (*mcp.CallToolResult, error) {
		return nil, &jsonrpc.Error{Code: jsonrpc.CodeInternalError, Message: "cannot connect with " + value}
	})
	add("leak_stderr", leakInStderr, "", func(value string) (*mcp.CallToolResult, error) {
		_, _ = fmt.Fprintf(os.Stderr, "fatal: cannot connect with %s\n", value)
		os.Exit(0)
		return nil, nil
	})
	add("leak_description", leakInDescription, "Connects with "+os.Getenv(leakInDescription), func(string) (*mcp.CallToolResult, error) {
		return text("connected"), nil
	})
	mcp.AddTool(s, &mcp.Tool{Name: "login", Annotations: read},
		func(_ context.Context, _ *mcp.CallToolRequest, in loginIn) (*mcp.CallToolResult, any, error) {
			return text("the password of " + in.User + " was " + in.Password), nil, nil
		})
}

// echoing is a remote MCP server that wants a header and repeats it in a result and in a refusal.
func echoing(t *testing.T, header, value string) (url string) {
	t.Helper()
	s := mcp.NewServer(&mcp.Implementation{Name: "remote", Version: "1"}, nil)
	mcp.AddTool(s, &mcp.Tool{Name: "echo_header", Annotations: &mcp.ToolAnnotations{ReadOnlyHint: true}},
		func(_ context.Context, r *mcp.CallToolRequest, _ none) (*mcp.CallToolResult, any, error) {
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "you are " + r.Extra.Header.Get(header)}}}, nil, nil
		})
	handler := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return s }, nil)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(header) != value || r.URL.Path == "/locked" {
			http.Error(w, "no entry for "+r.Header.Get(header), http.StatusForbidden)
			return
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}
