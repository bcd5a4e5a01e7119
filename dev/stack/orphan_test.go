package stack_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/dev/stack"
	"steward/dev/stack/stacktest"
)

// supervisorVariable makes the test binary run a stack in the folder it names, with the Temporal program of
// the argument, until it is killed.
const supervisorVariable = "STEWARD_TEST_SUPERVISOR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(supervisorVariable); dir != "" {
		s, err := stack.Start(context.Background(), stack.Config{Data: dir, Log: slog.New(slog.DiscardHandler), TemporalBinary: os.Args[1]})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		_, _ = fmt.Fprintln(os.Stdout, s.Postgres.PID(), s.Temporal.PID())
		<-make(chan struct{})
	}
	os.Exit(m.Run())
}

func TestKilledSupervisorLeavesNoOrphan(t *testing.T) {
	t.Parallel()
	cfg := config(t, folder(t))
	supervisor := exec.CommandContext(t.Context(), os.Args[0], cfg.TemporalBinary)
	supervisor.Env = append(os.Environ(), supervisorVariable+"="+cfg.Data)
	out, err := supervisor.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, supervisor.Start())
	var database, temporal int
	_, err = fmt.Fscan(out, &database, &temporal)
	require.NoError(t, err)
	require.True(t, stacktest.Alive(database) && stacktest.Alive(temporal))

	require.NoError(t, supervisor.Process.Kill())
	began := time.Now()
	require.Eventually(t, func() bool { return !stacktest.Alive(database) && !stacktest.Alive(temporal) },
		5*time.Second, 10*time.Millisecond)
	t.Logf("all gone after %v", time.Since(began).Round(time.Millisecond))
	require.Error(t, supervisor.Wait())

	s := start(t, cfg)
	require.NoError(t, tryEcho(t.Context(), dial(t, s.TemporalAddress)))
}
