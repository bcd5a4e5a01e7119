package e2e_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAcceptedWhileTemporalIsDown(t *testing.T) {
	t.Parallel()
	s := own(t)
	u := s.as(t, "alice")
	pid, err := s.pid("temporal")
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(pid, syscall.SIGSTOP)) // there, and answering nobody
	began := time.Now()
	id := u.accept(map[string]any{"mcp_server_id": 1, "instructions": "Find all emails from last week about invoices and summarise them"})
	t.Logf("202 after %v", time.Since(began))
	require.Equal(t, "queued", u.get(id).State)
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	v := u.until(id, 2*time.Minute, ended)
	require.Equal(t, "success", v.Status, "it completes by itself: %+v", v)
}

func TestKillOfTheSupervisorLeavesNothingAndLosesNothing(t *testing.T) {
	t.Parallel()
	s := own(t)
	u := s.as(t, "alice")
	id := u.accept(map[string]any{"mcp_server_id": 1, "instructions": "Send the sum of last week's invoices to boss@example.com"})
	u.until(id, time.Minute, inState("waiting_for_approval"))
	pids := map[string]int{}
	for _, name := range []string{"api", "worker", "temporal", "postgres", "model"} {
		pid, err := s.pid(name)
		require.NoError(t, err)
		pids[name] = pid
	}
	require.NoError(t, s.cmd.Process.Kill())
	require.Error(t, <-s.ended, "killed")
	for name, pid := range pids {
		require.Eventually(t, func() bool { return syscall.Kill(pid, 0) != nil }, 10*time.Second, 50*time.Millisecond, "%s is an orphan", name)
	}
	require.NoError(t, s.up())
	u.decide(id, "approve")
	v := u.until(id, time.Minute, ended)
	require.Equal(t, "success", v.Status, "%+v", v)
	require.Len(t, s.outbox(t), 1)
}

func TestCancelSaysWhatBecameOfEachEffect(t *testing.T) {
	t.Parallel()
	s := running(t)
	u := s.as(t, "canceller")
	id := u.accept(map[string]any{"mcp_server_id": 1, "instructions": "Send the sum of last week's invoices to nobody@example.com"})
	u.until(id, time.Minute, inState("waiting_for_approval"))
	a := u.do("POST", path(id, "cancel"), nil)
	require.Equal(t, 200, a.status, "%s", a.body)
	v := u.until(id, time.Minute, ended)
	require.Equal(t, "cancelled", v.State)
	require.Equal(t, "error", v.Status)
	require.Equal(t, "cancelled", v.Error.Code)
	for _, m := range s.outbox(t) {
		require.NotContains(t, m, "nobody@example.com")
	}
	require.Equal(t, 409, u.do("POST", path(id, "cancel"), nil).status)
}
