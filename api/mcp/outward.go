package mcp

import "context"

// outward is ctx for calls of other MCP servers: it ends when ctx does, and carries nothing. The SDK keeps the
// revision and the id of a request that it serves in the request's context, and its client would take them for those
// of what it sends: a server of an older revision would be spoken to in ours.
func outward(ctx context.Context) context.Context { return bare{ctx} }

type bare struct{ context.Context }

// Value is never there.
func (bare) Value(any) any { return nil }
