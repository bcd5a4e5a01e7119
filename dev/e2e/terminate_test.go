package e2e_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A terminated workflow runs no more code of ours: the reconciler finds its row and says what is lost.
func TestTerminatedFromOutsideIsClosed(t *testing.T) {
	t.Parallel()
	s := running(t)
	u := s.as(t, "terminated")
	id := u.accept(map[string]any{"mcp_server_id": 1, "instructions": "Send the sum of last week's invoices to terminated@example.com"})
	u.until(id, time.Minute, inState("waiting_for_approval"))
	began := time.Now()
	require.NoError(t, s.temporal(t).TerminateWorkflow(t.Context(), u.workflow(id), "", "an operator's mistake"))
	v := u.until(id, 30*time.Second, ended)
	t.Logf("closed after %v", time.Since(began))
	require.Equal(t, "error", v.State)
	require.Equal(t, "workflow_lost", v.Error.Code)
	for _, c := range v.ToolCalls {
		if c.Name == "send_email" {
			require.Equal(t, "cancelled", c.State)
			require.Nil(t, c.Decision)
		}
	}
	require.Empty(t, s.mailsTo(t, "terminated@example.com"))
	s.verified(t, id)
}
