package activities_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/automation"
	"steward/internal/registry"
	"steward/internal/secret"
	"steward/internal/store"
	"steward/internal/tool"
)

func TestHostedChainDenied(t *testing.T) {
	t.Parallel()
	server, cat := zip1(t)
	chain := recorded(t, "vai-01-mcp-approval-chain")
	rig := newHostedRig(t, server, cat, tool.ApprovePolicy, answers(chain[0], chain[1])...)
	out := rig.mustPlan(1)
	require.Empty(t, out.Final)
	require.Len(t, out.Calls, 1)
	require.True(t, out.Calls[0].Hosted)
	require.Equal(t, out, rig.mustPlan(1), "a turn that is recorded is not paid for twice")
	require.Len(t, rig.requests(), 1)

	first := rig.requests()[0]
	require.Len(t, first.Tools, 1, "no function tools beside the provider's own")
	require.Equal(t, "mcp zip1 https://zip1.io/mcp", first.Tools[0].Type+" "+first.Tools[0].Label+" "+first.Tools[0].URL)
	require.Equal(t, []string{"create_short_url", "generate_short_code", "get_url_stats", "validate_url"}, first.Tools[0].Allowed)

	require.Equal(t, automation.CallDenied, rig.decide(out.Calls[0], automation.Deny, "not this one").State)
	final := rig.mustPlan(2)
	require.Equal(t, automation.Success, final.Final.State)
	require.Equal(t, []string{"mcpr_04f6b17429cf2b02006949a6712b1081968b3c7a72dec695d8 false a person denied the call: not this one"}, rig.requests()[1].approvals())
	require.Equal(t, "denied", rig.calls()[0].State)
}

func TestHostedChainApproved(t *testing.T) {
	t.Parallel()
	server, cat := zip1(t)
	server.Headers = map[string]secret.String{"Authorization": secret.New("Bearer canary-static-token"), "X-Tenant": secret.New("canary-tenant")}
	chain := recorded(t, "vai-01-mcp-approval-chain")
	rig := newHostedRig(t, server, cat, tool.ApproveNever, answers(chain[2], chain[3])...)
	call := rig.mustPlan(1).Calls[0]
	require.Equal(t, automation.CallClaimed, rig.decide(call, automation.Approve, "").State)
	final := rig.mustPlan(2)
	require.Equal(t, automation.Success, final.Final.State)
	require.Equal(t, []string{"mcpr_04f6b17429cf2b02006949a68bf5808196b6f2008a315c9aa4 true "}, rig.requests()[1].approvals())
	require.Equal(t, "canary-static-token", rig.requests()[0].Tools[0].Authorization)
	require.Equal(t, map[string]string{"X-Tenant": "canary-tenant"}, rig.requests()[0].Tools[0].Headers)

	row := rig.calls()[0]
	require.Equal(t, "done provider reported effect zip1/create_short_url", strings.Join([]string{row.State, row.ExecutedBy, row.Evidence, row.Class, row.ServerName + "/" + row.ToolName}, " "))
	full, err := rig.db.GetCall(t.Context(), store.GetCallParams{ID: row.ID, RunID: rig.run.ID})
	require.NoError(t, err)
	result, err := rig.ring.Open(tool.ResultBinding(hostedOwner, row.ID), full.ResultSealed)
	require.NoError(t, err)
	require.Contains(t, string(result), "https://zip1.io/oMAchr")

	offered := rig.events("hosted.offered")
	require.Len(t, offered, 2)
	require.Contains(t, offered[0], `"host":"zip1.io"`)
	require.Contains(t, offered[0], `"freely":[]`, "the owner's waiver frees nothing that nobody can guard")
	require.Regexp(t, `"token":"[0-9a-f]{8}"`, offered[0])
	require.Contains(t, offered[1], call.ID, "the intent names the calls that it lets happen")
	require.Len(t, rig.events("hosted.listed"), 2)
	require.Len(t, rig.events("tool.claimed"), 1)
	require.Len(t, rig.events("tool.reported"), 1)
}

func TestHostedReadsOfOneAnswer(t *testing.T) {
	t.Parallel()
	exchanges := recorded(t, "pai-08-hosted-mcp-connector")
	server := registry.Server{ID: 9, Name: "google_calendar", Transport: "http", URL: "https://mcp.example.com/calendar", Trusted: true, AuthProvider: "google"}
	rig := newHostedRig(t, server, listed(t, exchanges[0], "google_calendar"), tool.ApprovePolicy, answers(exchanges...)...)
	out := rig.mustPlan(1)
	require.Equal(t, automation.Success, out.Final.State)
	require.Empty(t, out.Calls)
	require.Equal(t, "canary-lent-token-1", rig.requests()[0].Tools[0].Authorization)
	rows := rig.calls()
	require.Len(t, rows, 2)
	for _, row := range rows {
		require.Equal(t, "failed provider reported", row.State+" "+row.ExecutedBy+" "+row.Evidence, "a completed answer with calls that failed")
		require.Equal(t, "An unknown error occurred while executing the tool.", row.Reason)
	}
	require.Len(t, rig.events("tool.reported"), 2)
}

func TestHostedUnapprovedCallEndsTheRun(t *testing.T) {
	t.Parallel()
	exchanges := recorded(t, "pai-06-hosted-mcp-two-steps") // it was recorded with require_approval never
	server := registry.Server{ID: 9, Name: "deepwiki", Transport: "http", URL: "https://mcp.deepwiki.com/mcp"}
	cat := listed(t, exchanges[0], "deepwiki")
	rig := newHostedRig(t, server, cat, tool.ApproveNever, answers(exchanges...)...)
	out := rig.mustPlan(1)
	require.Equal(t, "hosted_unapproved", out.Final.Code)
	row, err := rig.db.GetRunForWorker(t.Context(), rig.run.ID)
	require.NoError(t, err)
	require.Equal(t, "error", row.State)
	require.Equal(t, "done", rig.calls()[0].State, "what was done is recorded")
}

func TestHostedReadOnlyToolIsFree(t *testing.T) {
	t.Parallel()
	exchanges := recorded(t, "pai-06-hosted-mcp-two-steps")
	server := registry.Server{ID: 9, Name: "deepwiki", Transport: "http", URL: "https://mcp.deepwiki.com/mcp", Trusted: true}
	cat := listed(t, exchanges[0], "deepwiki")
	cat.Tools[0].Class = automation.Read
	rig := newHostedRig(t, server, cat, tool.ApprovePolicy, answers(exchanges...)...)
	out := rig.mustPlan(1)
	require.Equal(t, "tool_drift", out.Final.Code, "the server says that the tool is no longer read-only")

	plain := recording{}
	plain.Response.Status = http.StatusOK
	plain.Response.Body = json.RawMessage(strings.Replace(string(exchanges[0].Response.Body), `"read_only": false`, `"read_only": true`, 1))
	require.NotEqual(t, string(exchanges[0].Response.Body), string(plain.Response.Body))
	rig = newHostedRig(t, server, cat, tool.ApprovePolicy, answers(plain)...)
	require.Equal(t, automation.Success, rig.mustPlan(1).Final.State)
	require.Equal(t, "done", rig.calls()[0].State)
}
