package tool

import (
	"steward/internal/automation"
	"steward/internal/registry"
)

// classify applies DESIGN §3: hints count only for servers that an admin trusts, or as the tool's owner has overridden
// them, which the registry has seen to; a missing hint means effect, destructive, open world (MCP 2026-07-28,
// ToolAnnotations).
func classify(t registry.Offered) automation.Class {
	switch {
	case hint(t.ReadOnly):
		return automation.Read
	case hint(t.Idempotent):
		return automation.Idempotent
	default:
		return automation.Effect
	}
}

func hint(b *bool) bool { return b != nil && *b }

// Approval modes of a run. The guard asks whatever the mode (ADR 0002).
const (
	ApprovePolicy = "policy" // a person agrees to everything that is not read-only
	ApproveAlways = "always" // a person agrees to every call
	ApproveNever  = "never"  // the owner waives approval, but for what the guard asks about
)
