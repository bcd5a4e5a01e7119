package process_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/dev/stack/process"
	"steward/dev/stack/stacktest"
)

// child is the configuration of a child that plays role and says READY.
func child(t *testing.T, role string) process.Config {
	return process.Config{
		Name: role, Path: os.Args[0], Env: []string{roleVariable + "=" + role}, ReadyLine: "READY",
		Log: slog.New(slog.DiscardHandler), LogFile: filepath.Join(t.TempDir(), "logs", "child.log"),
	}
}

func start(t *testing.T, cfg process.Config) *process.Process {
	t.Helper()
	p, err := process.Start(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Stop(context.Background())) })
	return p
}

// eventually polls until ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	require.Eventually(t, ok, 10*time.Second, 5*time.Millisecond, what)
}

func content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(b)
}

func TestStopDrains(t *testing.T) {
	t.Parallel()
	cfg := child(t, "obedient")
	p := start(t, cfg)
	pid := p.PID()
	require.True(t, stacktest.Alive(pid))

	require.NoError(t, p.Stop(t.Context()))
	<-p.Done()
	require.False(t, stacktest.Alive(pid))
	require.Zero(t, p.PID())
	require.Zero(t, p.Restarts())
	require.Equal(t, "READY\ndrained\n", content(t, cfg.LogFile))
	info, err := os.Stat(cfg.LogFile)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	require.ErrorIs(t, p.Kill(), os.ErrProcessDone)
	require.NoError(t, p.Stop(t.Context()), "a second stop is harmless")
}

func TestStopKillsWhatDoesNotListen(t *testing.T) {
	t.Parallel()
	cfg := child(t, "stubborn")
	cfg.StopTimeout = 50 * time.Millisecond
	p := start(t, cfg)
	pid := p.PID()
	require.ErrorContains(t, p.Stop(t.Context()), "killed")
	require.False(t, stacktest.Alive(pid))
}

func TestCrashIsRestarted(t *testing.T) {
	t.Parallel()
	p := start(t, child(t, "obedient"))
	first := p.PID()
	began := time.Now()
	require.NoError(t, p.Kill())
	eventually(t, "restart", func() bool { return p.Restarts() == 1 })
	require.GreaterOrEqual(t, time.Since(began), 200*time.Millisecond, "a pause before the restart")
	require.NotEqual(t, first, p.PID())
	require.True(t, stacktest.Alive(p.PID()))
}

func TestStopDuringThePauseOfARestart(t *testing.T) {
	t.Parallel()
	p := start(t, child(t, "obedient"))
	require.NoError(t, p.Kill())
	eventually(t, "death", func() bool { return p.PID() == 0 })
	require.NoError(t, p.Stop(t.Context()))
	require.Zero(t, p.PID())
	require.Zero(t, p.Restarts())
}

func TestFirstStartThatFails(t *testing.T) {
	t.Parallel()
	cfg := child(t, "crash")
	_, err := process.Start(t.Context(), cfg)
	require.ErrorContains(t, err, "exit status 3")
	require.ErrorContains(t, err, "boom", "the log's tail is in the error")

	cfg = child(t, "obedient")
	cfg.ReadyLine, cfg.StartTimeout = "never said", 100*time.Millisecond
	_, err = process.Start(t.Context(), cfg)
	require.ErrorContains(t, err, "not ready")

	cfg = child(t, "obedient")
	cfg.Path = filepath.Join(t.TempDir(), "missing")
	_, err = process.Start(t.Context(), cfg)
	require.ErrorIs(t, err, os.ErrNotExist)

	_, err = process.Start(t.Context(), process.Config{Name: "nameless"})
	require.Error(t, err)
}

func TestReadyOverHTTP(t *testing.T) {
	t.Parallel()
	var calls int
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if calls++; calls < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(server.Close)
	cfg := child(t, "obedient")
	cfg.ReadyLine, cfg.Ready = "", process.HTTP(server.URL)
	start(t, cfg)
	require.Equal(t, 3, calls)
}

func TestEnvironmentIsExplicit(t *testing.T) {
	t.Parallel()
	cfg := child(t, "environment")
	cfg.Env = append(cfg.Env, process.Inherit("PATH", "STEWARD_NOT_SET_ANYWHERE")...)
	require.NoError(t, process.Run(t.Context(), cfg))
	require.Equal(t, roleVariable+"=environment PATH="+os.Getenv("PATH")+"\n", content(t, cfg.LogFile))
}

func TestRunReportsFailure(t *testing.T) {
	t.Parallel()
	err := process.Run(t.Context(), child(t, "crash"))
	require.ErrorContains(t, err, "exit status 3")
	require.ErrorContains(t, err, "boom")
}

func TestNothingOfTheGroupIsLeft(t *testing.T) {
	t.Parallel()
	cfg := child(t, "parent")
	p := start(t, cfg)
	var grandchild int
	_, err := fmt.Sscanf(content(t, cfg.LogFile), "grandchild %d", &grandchild)
	require.NoError(t, err)
	require.True(t, stacktest.Alive(grandchild))
	require.NoError(t, p.Stop(t.Context()))
	eventually(t, "the grandchild's end", func() bool { return !stacktest.Alive(grandchild) })
}

func TestChildDiesWithItsSupervisor(t *testing.T) {
	t.Parallel()
	cfg := child(t, "supervisor")
	p := start(t, cfg)
	var orphan int
	_, err := fmt.Sscanf(content(t, cfg.LogFile), "orphan %d", &orphan)
	require.NoError(t, err)
	require.True(t, stacktest.Alive(orphan))
	require.NoError(t, syscall.Kill(p.PID(), syscall.SIGKILL)) // the supervisor alone, not its group
	eventually(t, "the orphan's end", func() bool { return !stacktest.Alive(orphan) })
}

func TestLifelineHoldsStandardInputOpen(t *testing.T) {
	t.Parallel()
	cfg := child(t, "lifeline")
	cfg.Lifeline = true
	p := start(t, cfg)
	require.True(t, stacktest.Alive(p.PID()), "its standard input stays open")
}

func TestLargeLogIsSetAside(t *testing.T) {
	t.Parallel()
	cfg := child(t, "obedient")
	require.NoError(t, os.MkdirAll(filepath.Dir(cfg.LogFile), 0o700))
	require.NoError(t, os.WriteFile(cfg.LogFile, bytes.Repeat([]byte("x"), 10<<20+1), 0o600))
	start(t, cfg)
	require.Equal(t, "READY\n", content(t, cfg.LogFile))
	require.Len(t, content(t, cfg.LogFile+".1"), 10<<20+1)
}

func TestOutputIsForwardedByLine(t *testing.T) {
	t.Parallel()
	var out lockedBuffer
	cfg := child(t, "obedient")
	cfg.Forward, cfg.Log = true, slog.New(slog.NewTextHandler(&out, nil))
	p := start(t, cfg)
	require.NoError(t, p.Stop(t.Context()))
	require.Contains(t, out.String(), "msg=READY process=obedient")
	require.Contains(t, out.String(), "msg=drained process=obedient")
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
