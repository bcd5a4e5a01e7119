package rotation

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"steward/dev/stack/stacktest"
	"steward/internal/storetest"
)

// A real server answers what is asked about histories.
//
//nolint:paralleltest // beside the load of the other tests the server might not come up in time
func TestTemporalKnowsItsHistories(t *testing.T) {
	c := stacktest.DialTemporal(t, storetest.Server(t))
	h, err := NewHistories(c.WorkflowService(), client.DefaultNamespace)
	require.NoError(t, err)
	retention, err := h.retention(t.Context())
	require.NoError(t, err)
	require.Positive(t, retention)

	earlier := time.Now()
	already, err := h.before(t.Context(), earlier)
	require.NoError(t, err)
	_, err = c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: rand.Text(), TaskQueue: "nobody"}, "Any")
	require.NoError(t, err)
	closed, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: rand.Text(), TaskQueue: "nobody"}, "Other")
	require.NoError(t, err)
	require.NoError(t, c.TerminateWorkflow(t.Context(), closed.GetID(), closed.GetRunID(), "done"))
	require.Eventually(t, func() bool {
		n, err := h.before(t.Context(), time.Now().Add(time.Second))
		return err == nil && n == already+2
	}, 10*time.Second, 50*time.Millisecond, "open and closed ones")
	n, err := h.before(t.Context(), earlier)
	require.NoError(t, err)
	require.Equal(t, already, n)
}
