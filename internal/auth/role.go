package auth

import "slices"

// Role is what somebody is; Scope is what that lets them do.
type Role string

// The roles. Nobody reads secret values, whatever the role.
const (
	User     Role = "user"     // own runs, servers and connections
	Operator Role = "operator" // keeps it running: health, cancels any run
	Admin    Role = "admin"    // servers that run commands, packages, keys
	Auditor  Role = "auditor"  // reads and verifies the audit log
	Service  Role = "service"  // a backend with an API key, for the users it is granted
)

// Scope is a permission of its own.
type Scope string

// The scopes. Doing again, stopping and approving are not implied by reading (T-15).
const (
	RunsRead     Scope = "runs:read"
	RunsExecute  Scope = "runs:execute"  // start, rerun, cancel own ones, schedules
	RunsApprove  Scope = "runs:approve"  // decide what a run may do; never with an API key (T-47)
	RunsOperate  Scope = "runs:operate"  // cancel anybody's
	ToolsRead    Scope = "tools:read"    // list tools and their health
	ToolsCall    Scope = "tools:call"    // call one outside a run
	ServersRead  Scope = "servers:read"  // servers, instances, their logs
	ServersWrite Scope = "servers:write" // own servers at public https addresses, instances of approved ones
	ServersAdmin Scope = "servers:admin" // command, args, image; packages; trust
	Connections  Scope = "connections"   // own connectors, databases and secrets, write-only
	AuditRead    Scope = "audit:read"
	CodecDecode  Scope = "codec:decode" // see Temporal payloads in the clear
	HealthRead   Scope = "health:read"
	KeysAdmin    Scope = "keys:admin" // API keys
)

var own = []Scope{
	RunsRead, RunsExecute, RunsApprove, ToolsRead, ToolsCall, ServersRead, ServersWrite, Connections,
}

// granted is the whole policy of roles.
var granted = map[Role][]Scope{
	User:     own,
	Operator: {RunsRead, RunsOperate, ToolsRead, ServersRead, CodecDecode, HealthRead},
	Admin:    slices.Concat(own, []Scope{RunsOperate, ServersAdmin, AuditRead, CodecDecode, HealthRead, KeysAdmin}),
	Auditor:  {AuditRead, HealthRead},
	Service:  slices.DeleteFunc(slices.Clone(own), func(s Scope) bool { return s == RunsApprove }),
}

// Roles lists all roles.
func Roles() []Role { return []Role{User, Operator, Admin, Auditor, Service} }

// Known reports whether r is a role.
func (r Role) Known() bool { return granted[r] != nil }

// Scopes returns what the role may do at most.
func (r Role) Scopes() []Scope { return slices.Clone(granted[r]) }

// narrow keeps of a role's scopes those that were asked for; asking for none means all.
func (r Role) narrow(asked []Scope) []Scope {
	if len(asked) == 0 {
		return r.Scopes()
	}
	return slices.DeleteFunc(r.Scopes(), func(s Scope) bool { return !slices.Contains(asked, s) })
}
