package mcpclient

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"sync"

	"steward/internal/shape"
)

// maxOutputs bounds how many compiled schemas a session keeps.
const maxOutputs = 256

// outputs keeps the compiled output schemas of one session's tools.
type outputs struct {
	mu       sync.Mutex
	compiled map[[sha256.Size]byte]*shape.Schema // nil: it cannot be checked against
}

// check says why a result does not fit the tool's output schema (2025-06-18, server/tools, "Output Schema"): a tool
// that has one answers by it unless it failed. A schema that is too much work to check, or none at all, is the
// server's mistake and not the result's: nothing is checked then.
func (s *session) checkOutput(ctx context.Context, schema json.RawMessage, r *Result) error {
	if isNull(schema) || r.IsError || r.Needs != nil || r.Task != nil {
		return nil
	}
	compiled := s.outputs.get(ctx, s, schema)
	if compiled == nil {
		return nil
	}
	if r.Structured == nil {
		return fmt.Errorf("%w: there is none", ErrOutput)
	}
	var value any
	if err := json.Unmarshal(r.Structured, &value); err != nil {
		return fmt.Errorf("%w: %w", ErrOutput, err)
	}
	if err := compiled.Validate(value); err != nil {
		return fmt.Errorf("%w: %w", ErrOutput, err)
	}
	return nil
}

func (o *outputs) get(ctx context.Context, s *session, schema json.RawMessage) *shape.Schema {
	sum := sha256.Sum256(schema)
	o.mu.Lock()
	defer o.mu.Unlock()
	if compiled, known := o.compiled[sum]; known {
		return compiled
	}
	compiled, err := shape.Compile(schema)
	if err != nil {
		s.log.WarnContext(ctx, "mcp output schema not usable", "server", s.name, "error", err)
	}
	if o.compiled == nil || len(o.compiled) >= maxOutputs {
		o.compiled = map[[sha256.Size]byte]*shape.Schema{}
	}
	o.compiled[sum] = compiled
	return compiled
}
