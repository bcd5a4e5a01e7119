package registry

import (
	"steward/internal/auth"
	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/oauth"
	"steward/internal/store"
)

// permit says whether p may register the server: what runs on this machine, what is believed and what everybody gets
// is an admin's to decide (security.md T-01). It is asked before anything else is looked at.
func permit(p auth.Principal, s *Server) error {
	if err := p.Require(auth.ServersWrite); err != nil {
		return err
	}
	if s.Transport == transportHTTP && s.Command == "" && len(s.Args) == 0 && len(s.Env) == 0 && len(s.EnvSchema) == 0 && s.Image == "" &&
		!s.Trusted && (s.AuthProvider == "" || s.AuthProvider == oauth.Server(s.ID)) && s.Private {
		return nil
	}
	return p.Require(auth.ServersAdmin)
}

// mayChange says whether p may change a server that it sees. What it does not see is not there.
func mayChange(p auth.Principal, s *store.MCPServer) error {
	switch {
	case s == nil:
		return errAbsent
	case s.Owner == nil:
		return p.Require(auth.ServersAdmin)
	}
	return p.Require(auth.ServersWrite)
}

// errAbsent is the answer for what does not exist and for what belongs to somebody else.
var errAbsent = fault.New(fault.NotFound, "no such server")

// chainOf is the audit chain of a server: its owner's, or the system's for an admin's.
func chainOf(s *store.MCPServer) string {
	if s.Owner == nil {
		return automation.AuditSystem
	}
	return automation.AuditUser(*s.Owner)
}
