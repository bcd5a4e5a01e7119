package mcp

import "steward/internal/auth"

// scopes says what each tool needs; a tool that is not there needs nothing.
type scopes map[string]auth.Scope

// ofTasks are the scopes of the Tasks extension: an answer to a question is a decision.
var ofTasks = scopes{
	methodTaskGet:    auth.RunsRead,
	methodTaskUpdate: auth.RunsApprove,
	methodTaskCancel: auth.RunsExecute,
}

// needed is what a message needs beyond a good credential, "" for nothing.
func (s *Server) needed(m message) auth.Scope {
	if m.method == methodCallTool {
		return s.scopes[m.name]
	}
	return ofTasks[m.method]
}
