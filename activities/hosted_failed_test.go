package activities_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"steward/internal/automation"
	"steward/internal/secret"
	"steward/internal/tool"
)

func TestHostedCredentialRefused(t *testing.T) {
	t.Parallel()
	refused := func(t *testing.T) recording {
		r := recorded(t, "con-09-424-mcp-list-401")[0]
		r.Response.Body = json.RawMessage(strings.ReplaceAll(string(r.Response.Body), "'mail'", "'zip1'"))
		return r
	}
	for name, tc := range map[string]struct {
		auth      string // the server wants the user's own token
		script    func(*testing.T) []recording
		end       string // of the error; empty: success
		requests  int
		refreshes int
	}{
		"renewed once": {"google", func(t *testing.T) []recording {
			return []recording{refused(t), recorded(t, "vai-01-mcp-approval-chain")[0]}
		}, "", 2, 1},
		"refused twice":    {"google", func(t *testing.T) []recording { return []recording{refused(t), refused(t)} }, "the server zip1: it does not accept the credential", 2, 1},
		"static, so final": {"", func(t *testing.T) []recording { return []recording{refused(t)} }, "the server zip1: it does not accept the credential", 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, cat := zip1(t)
			server.AuthProvider = tc.auth
			if tc.auth == "" {
				server.Headers = map[string]secret.String{"Authorization": secret.New("Bearer canary-static")}
			}
			rig := newHostedRig(t, server, cat, tool.ApprovePolicy, answers(tc.script(t)...)...)
			_, err := rig.plan(1)
			require.Len(t, rig.requests(), tc.requests)
			require.Equal(t, tc.refreshes, rig.purse.refreshes)
			if tc.end == "" {
				require.NoError(t, err)
				require.Equal(t, "canary-lent-token-2", rig.requests()[1].Tools[0].Authorization)
				return
			}
			var failed *temporal.ApplicationError
			require.ErrorAs(t, err, &failed)
			require.True(t, failed.NonRetryable())
			require.Contains(t, failed.Message(), tc.end)
			require.NotContains(t, err.Error(), "canary")
			rig.events("")
		})
	}
}

func TestHostedConsentIsWaitedFor(t *testing.T) {
	t.Parallel()
	server, cat := zip1(t)
	server.AuthProvider = "google"
	rig := newHostedRig(t, server, cat, tool.ApprovePolicy)
	rig.purse.ended = true
	out := rig.mustPlan(1)
	require.NotNil(t, out.Park)
	require.Equal(t, automation.WaitingForAuth, out.Park.State)
	require.Empty(t, rig.requests(), "nothing left")
}

// An approval leaves with one request. What became of that one decides whether it may leave with another.
func TestHostedApprovalsAreNotSentTwice(t *testing.T) {
	t.Parallel()
	chain := func(t *testing.T, i int) http.HandlerFunc {
		return answers(recorded(t, "vai-01-mcp-approval-chain")[i])[0]
	}
	cut := func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_ = c.Close()
		}
	}
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	for name, tc := range map[string]struct {
		spoil http.HandlerFunc // the request that carries the approval
		asked bool             // a person is asked; otherwise it is sent again
	}{
		"the connection breaks":     {cut, true},
		"the provider breaks down":  {status(http.StatusBadGateway), true},
		"it says nothing of use":    {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }, true},
		"it times out":              {status(http.StatusRequestTimeout), true},
		"it limits requests":        {status(http.StatusTooManyRequests), false},
		"it refuses":                {status(http.StatusBadRequest), false},
		"another server is refused": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusFailedDependency) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, cat := zip1(t)
			rig := newHostedRig(t, server, cat, tool.ApprovePolicy, chain(t, 2), tc.spoil, chain(t, 3))
			call := rig.mustPlan(1).Calls[0]
			rig.decide(call, automation.Approve, "")
			_, err := rig.plan(2)
			require.Error(t, err)
			again := rig.mustPlan(2)
			if !tc.asked {
				require.Equal(t, automation.Success, again.Final.State)
				require.Len(t, rig.requests(), 3)
				return
			}
			require.Len(t, rig.requests(), 2, "the request is not repeated")
			require.Len(t, again.Calls, 1)
			require.Equal(t, call.ID, again.Calls[0].ID)
			out := rig.settle(again.Calls[0], "", "")
			require.Equal(t, automation.CallUnknown, out.State)
			require.NotEmpty(t, out.Decision)
			require.Equal(t, automation.CallUnknown, rig.decide(call, automation.Check, "").State, "there is no way to check")
			require.Equal(t, automation.CallClaimed, rig.decide(call, automation.Retry, "").State)
			require.Equal(t, automation.Success, rig.mustPlan(3).Final.State)
			require.Len(t, rig.requests(), 3, "a person chose to send again")
			require.Equal(t, "done", rig.calls()[0].State)
		})
	}
}

func TestHostedInTheBackground(t *testing.T) {
	t.Parallel()
	server, cat := zip1(t)
	chain := recorded(t, "vai-01-mcp-approval-chain")
	queued := func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"id":"resp_1","object":"response","status":"queued","output":[]}`)
	}
	gone := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }
	background := []string{"-stream", "-input_tokens", "-compact"}
	t.Run("the id is known: the answer is waited for", func(t *testing.T) {
		t.Parallel()
		rig := newHostedRigWith(t, background, server, cat, tool.ApprovePolicy, queued, answers(chain[2])[0], queued, answers(chain[3])[0])
		asked := rig.mustPlan(1)
		rig.decide(asked.Calls[0], automation.Approve, "")
		var final automation.PlanResult
		for range 2 { // nobody heard of the first
			final = rig.mustPlan(2)
		}
		require.Equal(t, automation.Success, final.Final.State)
		require.Len(t, rig.requests(), 2)
		require.Equal(t, "done", rig.calls()[0].State)
	})
	t.Run("the answer is gone: a person is asked", func(t *testing.T) {
		t.Parallel()
		rig := newHostedRigWith(t, background, server, cat, tool.ApprovePolicy, queued, answers(chain[2])[0], queued, gone)
		rig.decide(rig.mustPlan(1).Calls[0], automation.Approve, "")
		_, err := rig.plan(2)
		require.Error(t, err)
		held := rig.mustPlan(2) // the next attempt
		require.Len(t, held.Calls, 1)
		require.Equal(t, automation.CallUnknown, rig.settle(held.Calls[0], "", "").State)
		require.Len(t, rig.requests(), 2, "it is not sent again")
	})
}

func TestHostedCredentialRefusedInTheBackground(t *testing.T) {
	t.Parallel()
	server, cat := zip1(t)
	server.AuthProvider = "google"
	queued := func(id string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			_, _ = fmt.Fprintf(w, `{"id":%q,"object":"response","status":"queued","output":[]}`, id)
		}
	}
	refused := func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"id":"resp_1","object":"response","status":"failed","output":[],"error":{"code":"external_connector_error",
			"message":"Error retrieving tool list from MCP server: 'zip1'. Http status code: 401 (Unauthorized)"}}`)
	}
	first := answers(recorded(t, "vai-01-mcp-approval-chain")[0])[0]
	for name, tc := range map[string]struct {
		last http.HandlerFunc
		ok   bool
	}{"renewed once": {first, true}, "refused twice": {refused, false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rig := newHostedRigWith(t, []string{"-stream", "-input_tokens", "-compact"}, server, cat, tool.ApprovePolicy,
				queued("resp_1"), refused, queued("resp_2"), tc.last)
			_, err := rig.plan(1)
			require.Equal(t, tc.ok, err == nil, "%v", err)
			require.Equal(t, 1, rig.purse.refreshes)
			require.Len(t, rig.requests(), 2)
			require.Equal(t, "canary-lent-token-2", rig.requests()[1].Tools[0].Authorization)
			if err != nil {
				require.ErrorContains(t, err, "the server zip1: it does not accept the credential")
			}
		})
	}
}

func TestHostedSkippedCallIsAnsweredWithNo(t *testing.T) {
	t.Parallel()
	server, cat := zip1(t)
	chain := recorded(t, "vai-01-mcp-approval-chain")
	broken := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }
	rig := newHostedRig(t, server, cat, tool.ApprovePolicy, answers(chain[2])[0], broken, answers(chain[1])[0])
	call := rig.mustPlan(1).Calls[0]
	rig.decide(call, automation.Approve, "")
	_, err := rig.plan(2)
	require.Error(t, err)
	rig.mustPlan(2)
	rig.settle(call, "", "")
	require.Equal(t, automation.CallSkipped, rig.decide(call, automation.Skip, "").State)
	require.Equal(t, automation.Success, rig.mustPlan(3).Final.State)
	require.Len(t, rig.requests()[2].approvals(), 1)
	require.Contains(t, rig.requests()[2].approvals()[0], "false whether it took effect is not known")
}
