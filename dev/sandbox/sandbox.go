// Package sandbox holds what the bundled sandbox servers share. They are real MCP servers with real effects,
// only on a folder instead of the world; the first automation and the end-to-end tests run against them.
package sandbox

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// Keys of _meta that Steward and its servers agree on.
const (
	// CallKeyMeta, in a request, names the call across repetitions.
	CallKeyMeta = "dev.steward/call-key"
	// ProbeMeta, in a tool definition, says which tool knows what became of a call and which of its
	// arguments takes the call key: {"tool": …, "argument": …}.
	ProbeMeta = "dev.steward/probe"
	// AddresseesMeta, in a tool definition, names the arguments that say who receives something: ["to"].
	AddresseesMeta = "dev.steward/addressees"
	// ProbeOnlyMeta, in a tool definition, hides the tool from the model.
	ProbeOnlyMeta = "dev.steward/probe-only"
)

// toolTTL is how long clients may keep the tool list: it never changes while a server runs.
const toolTTL = 5 * time.Minute

// New returns a server without tools that survives a panic in one of them; go-sdk would let it end the
// process.
func New(name, title, instructions string) *mcp.Server {
	server := mcp.NewServer(&mcp.Implementation{Name: name, Title: title, Version: "1.0.0"}, &mcp.ServerOptions{
		Instructions: instructions,
		Capabilities: &mcp.ServerCapabilities{}, // no logging; tools are announced once there are any
		SetCacheable: func(_ context.Context, _ mcp.Request, c *mcp.Cacheable) {
			c.TTLMs, c.CacheScope = int(toolTTL.Milliseconds()), "private"
		},
	})
	server.AddReceivingMiddleware(recoverPanics)
	return server
}

// Serve speaks over stdin and stdout until stdin ends or ctx does.
func Serve(ctx context.Context, server *mcp.Server) error {
	if err := server.Run(ctx, &mcp.StdioTransport{}); err != nil && ctx.Err() == nil {
		return fmt.Errorf("serving over stdio: %w", err)
	}
	return nil
}

// InputSchema is the schema of a tool's input type, with limits that struct tags cannot express.
func InputSchema[T any](limit func(properties map[string]*jsonschema.Schema)) *jsonschema.Schema {
	schema, err := jsonschema.For[T](nil)
	if err != nil {
		panic(fmt.Sprintf("sandbox: schema of %T: %v", *new(T), err)) // a mistake in our own types
	}
	limit(schema.Properties)
	return schema
}

func recoverPanics(next mcp.MethodHandler) mcp.MethodHandler {
	return func(ctx context.Context, method string, req mcp.Request) (res mcp.Result, err error) {
		defer func() {
			if v := recover(); v != nil {
				_, _ = fmt.Fprintf(os.Stderr, "panic in %s: %v\n%s", method, v, debug.Stack())
				res, err = nil, &jsonrpc.Error{Code: jsonrpc.CodeInternalError, Message: "internal error"}
			}
		}()
		return next(ctx, method, req)
	}
}
