package activities_test

import (
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"steward/internal/automation"
	"steward/internal/store"
	"steward/internal/tool"
	"steward/workflows"
)

// drive runs the whole workflow over the real activities. Persons answer what is asked: the verdicts in order, an
// hour of workflow time apart.
func (rig *hostedRig) drive(verdicts ...automation.Verdict) *store.AutomationRun {
	rig.t.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(time.Minute)
	env.RegisterWorkflowWithOptions(workflows.AutomationRun, workflow.RegisterOptions{Name: automation.WorkflowRun})
	env.RegisterActivity(rig.acts)
	for i, v := range verdicts {
		env.RegisterDelayedCallback(func() {
			open, err := rig.db.ListDecisions(rig.t.Context(), store.ListDecisionsParams{RunID: rig.run.ID, Owner: hostedOwner})
			require.NoError(rig.t, err)
			q := open[len(open)-1]
			_, err = rig.db.Decide(rig.t.Context(), store.DecideParams{ID: q.ID, Owner: hostedOwner, Verdict: string(v), DecidedBy: hostedOwner})
			require.NoError(rig.t, err)
			env.UpdateWorkflow(automation.UpdateDecide, q.ID, &testsuite.TestUpdateCallback{
				OnAccept: func() {}, OnReject: func(err error) { require.NoError(rig.t, err) }, OnComplete: func(any, error) {},
			}, automation.Decision{ID: q.ID, Call: q.Call, Verdict: v})
		}, time.Duration(i+1)*time.Hour)
	}
	env.ExecuteWorkflow(automation.WorkflowRun, automation.RunInput{RunID: rig.run.ID})
	require.True(rig.t, env.IsWorkflowCompleted())
	require.NoError(rig.t, env.GetWorkflowError())
	row, err := rig.db.GetRunForWorker(rig.t.Context(), rig.run.ID)
	require.NoError(rig.t, err)
	return row
}

func TestHostedRunFromEndToEnd(t *testing.T) {
	t.Parallel()
	broken := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }
	for name, tc := range map[string]struct {
		exchanges []int // of the recorded chain; -1: the provider breaks down
		verdicts  []automation.Verdict
		state     string // of the call
		requests  int
	}{
		"approved":          {[]int{2, 3}, []automation.Verdict{automation.Approve}, "done", 2},
		"denied":            {[]int{0, 1}, []automation.Verdict{automation.Deny}, "denied", 2},
		"nobody answers":    {[]int{0, 1}, nil, "denied", 2},
		"lost, sent again":  {[]int{2, -1, 3}, []automation.Verdict{automation.Approve, automation.Retry}, "done", 3},
		"lost, checked":     {[]int{2, -1, 3}, []automation.Verdict{automation.Approve, automation.Check, automation.Retry}, "done", 3},
		"lost, and skipped": {[]int{0, -1, 1}, []automation.Verdict{automation.Approve, automation.Skip}, "skipped", 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, cat := zip1(t)
			chain := recorded(t, "vai-01-mcp-approval-chain")
			var script []http.HandlerFunc
			for _, i := range tc.exchanges {
				if i < 0 {
					script = append(script, broken)
				} else {
					script = append(script, answers(chain[i])...)
				}
			}
			rig := newHostedRig(t, server, cat, tool.ApprovePolicy, script...)
			row := rig.drive(tc.verdicts...)
			require.Equal(t, "success", row.State, row.ErrorMessage)
			calls := rig.calls()
			require.Len(t, calls, 1)
			require.Equal(t, tc.state, calls[0].State)
			require.Len(t, rig.requests(), tc.requests)
		})
	}
}

func TestHostedServerThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	server, cat := zip1(t)
	away := recording{}
	away.Response.Status = http.StatusFailedDependency
	away.Response.Body = []byte(`{"error":{"message":"Error retrieving tool list from MCP server: 'zip1'. Http status code: 503 (Service Unavailable)","type":"external_connector_error","param":"tools","code":"http_error"}}`)
	rig := newHostedRig(t, server, cat, tool.ApprovePolicy, answers(away, away, away, away, away, away)...)
	row := rig.drive()
	require.Equal(t, "error", row.State)
	require.Equal(t, "LLM_external_connector_error", row.ErrorCode)
	require.Contains(t, row.ErrorMessage, "the server zip1")
	require.Len(t, rig.requests(), 4, "tried as often as a server that we call ourselves")
}
