package e2e_test

import (
	"encoding/json"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
)

// describe asks Temporal itself about a run's workflow.
func (u *user) describe(id int64) (events, bytes int64) {
	u.t.Helper()
	p, err := u.part("temporal")
	require.NoError(u.t, err)
	c, err := client.DialContext(u.t.Context(), client.Options{HostPort: p.Address})
	require.NoError(u.t, err)
	defer c.Close()
	d, err := c.DescribeWorkflowExecution(u.t.Context(), u.workflow(id), "")
	require.NoError(u.t, err)
	return d.GetWorkflowExecutionInfo().GetHistoryLength(), d.GetWorkflowExecutionInfo().GetHistorySizeBytes()
}

func (u *user) workflow(id int64) string {
	u.t.Helper()
	a := u.do("GET", path(id, "history"), nil)
	require.Equal(u.t, 200, a.status, "%s", a.body)
	var h struct {
		Temporal struct {
			WorkflowID string `json:"workflow_id"`
		} `json:"temporal"`
	}
	require.NoError(u.t, json.Unmarshal(a.body, &h))
	require.NotEmpty(u.t, h.Temporal.WorkflowID)
	return h.Temporal.WorkflowID
}

func TestSixtyStepsWithLargeResultsKeepTheHistorySmall(t *testing.T) {
	t.Parallel()
	const steps = 60
	u := running(t).as(t, "long")
	id := u.accept(map[string]any{
		"servers": []string{"files"}, "limits": map[string]any{"steps": steps + 5, "tokens": 90_000_000},
		"instructions": "#sim: steps " + strconv.Itoa(steps) + ` tool make_text args {"kilobytes":100,"seed":{{step}}}`,
	})
	v := u.until(id, 4*time.Minute, ended)
	require.Equal(t, "success", v.State, "%+v", v.Error)
	require.Len(t, v.ToolCalls, steps)
	events, bytes := u.describe(id)
	t.Logf("%d steps: %d events, %d bytes of history, %d per step", steps, events, bytes, bytes/steps)
	require.Less(t, bytes/steps, int64(3<<10))
}

func TestTwoMegabyteResult(t *testing.T) {
	t.Parallel()
	u := running(t).as(t, "large")
	id := u.accept(map[string]any{
		"servers": []string{"files"}, "limits": map[string]any{"tokens": 90_000_000},
		"instructions": `#sim: steps 1 tool make_text args {"kilobytes":2048,"seed":7}`,
	})
	v := u.until(id, time.Minute, ended)
	require.Equal(t, "success", v.State, "%+v", v.Error)
	require.Equal(t, "done", v.ToolCalls[0].Outcome)
	_, bytes := u.describe(id)
	require.Less(t, bytes, int64(64<<10))
}
