package tool

import (
	"steward/internal/automation"
	"steward/internal/mcpclient"
)

// classify applies DESIGN §3: hints count only for servers that an admin trusts; a missing hint means
// effect, destructive, open world (MCP 2026-07-28, ToolAnnotations).
func classify(trusted bool, t mcpclient.Tool) automation.Class {
	switch {
	case !trusted:
		return automation.Effect
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
