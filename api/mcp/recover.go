package mcp

import (
	"context"
	"log/slog"
	"runtime/debug"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// recovered answers a panic with an error. The SDK runs handlers in goroutines of its own, where the edge's recovery
// does not reach: without this one a panic ends the process.
func recovered(log *slog.Logger) sdk.Middleware {
	return func(next sdk.MethodHandler) sdk.MethodHandler {
		return func(ctx context.Context, method string, r sdk.Request) (result sdk.Result, err error) {
			defer func() {
				if cause := recover(); cause != nil {
					log.ErrorContext(ctx, "panic in an MCP request", "method", method, "panic", cause, "stack", string(debug.Stack()))
					result, err = nil, &jsonrpc.Error{Code: jsonrpc.CodeInternalError, Message: "internal error"}
				}
			}()
			return next(ctx, method, r)
		}
	}
}
