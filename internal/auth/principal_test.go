package auth

import (
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/fault"
)

// The whole policy, written out once more: a change of it must be wanted twice.
func TestRoleMatrix(t *testing.T) {
	t.Parallel()
	want := map[Scope][]Role{
		RunsRead: {User, Operator, Admin, Service}, RunsExecute: {User, Admin, Service}, RunsApprove: {User, Admin},
		RunsOperate: {Operator, Admin}, ToolsRead: {User, Operator, Admin, Service}, ToolsCall: {User, Admin, Service},
		ServersRead: {User, Operator, Admin, Service}, ServersWrite: {User, Admin, Service}, ServersAdmin: {Admin},
		Connections: {User, Admin, Service}, AuditRead: {Admin, Auditor}, CodecDecode: {Operator, Admin},
		HealthRead: {Operator, Admin, Auditor}, KeysAdmin: {Admin},
	}
	for _, role := range Roles() {
		require.True(t, role.Known())
		for _, scope := range role.Scopes() {
			require.Contains(t, want, scope)
		}
		for scope, roles := range want {
			p := Principal{Role: role, Scopes: role.narrow(nil)}
			allowed := false
			for _, r := range roles {
				allowed = allowed || r == role
			}
			require.Equal(t, allowed, p.Can(scope), "%s %s", role, scope)
			require.Equal(t, allowed, p.Require(scope) == nil)
		}
	}
	require.False(t, Role("root").Known())
	require.Empty(t, Role("root").Scopes())
	err := Principal{}.Require(RunsApprove)
	require.Equal(t, CodeInsufficientScope, fault.CodeOf(err))
	require.Contains(t, err.Error(), "runs:approve")
}

// T-37 and CONTRACT "Who".
func TestActFor(t *testing.T) {
	t.Parallel()
	token := Principal{Kind: JWT, Owner: "alice"}
	session := Principal{Kind: Session, Owner: "alice"}
	key := Principal{Kind: APIKey, Tenants: []string{"alice", "default"}}
	narrow := Principal{Kind: APIKey, Tenants: []string{"alice"}}
	every := Principal{Kind: APIKey, Tenants: []string{AnyTenant}}
	for _, c := range []struct {
		p           Principal
		named, want string
		code        string
	}{
		{token, "", "alice", ""},
		{token, "alice", "alice", ""},
		{token, "bob", "", CodeOwnerMismatch},
		{token, "Alice", "", CodeOwnerMismatch},
		{session, "bob", "", CodeOwnerMismatch},
		{token, DefaultOwner, "", CodeOwnerMismatch},
		{key, "alice", "alice", ""},
		{key, "", DefaultOwner, ""},
		{key, "bob", "", CodeTenantForbidden},
		{narrow, "", "", CodeTenantForbidden},
		{every, "bob", "bob", ""},
		{every, "", DefaultOwner, ""},
		{every, AnyTenant, "", CodeTenantForbidden},
		{every, "a\nb", "", CodeTenantForbidden},
	} {
		got, err := c.p.actFor(c.named)
		if c.code != "" {
			require.Equal(t, c.code, fault.CodeOf(err), "%+v", c)
			require.True(t, fault.Is(err, fault.Forbidden))
			continue
		}
		require.NoError(t, err, "%+v", c)
		require.Equal(t, c.want, got.Owner)
	}
}
