package mcpclient

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/secret"
)

func TestChildThatDoesNotStart(t *testing.T) {
	t.Parallel()
	pool := newPool(t, Options{})
	e := callError(t, pool, childTarget("does-not-start"), "echo", "")
	require.Equal(t, NotRun, e.Ran)
	require.Equal(t, StageHandshake, e.Stage)
	require.Equal(t, "call", e.Op)
	require.Contains(t, e.Stderr, "[31mmissing setting[0m API_KEY")
	require.Contains(t, e.Stderr, "(child ended: exit status 3)")
	require.Equal(t, e.Stderr, pool.Logs(childTarget("does-not-start").Key))

	missing := childTarget("serve")
	missing.Key.Server, missing.Stdio.Command = 2, "/nonexistent/server"
	e = callError(t, pool, missing, "echo", "")
	require.Equal(t, NotRun, e.Ran)
	require.Equal(t, StageStart, e.Stage)
	require.ErrorIs(t, e, os.ErrNotExist)
	require.Zero(t, sessions(pool))
}

func TestChildKilledMidCall(t *testing.T) {
	t.Parallel()
	pool := newPool(t, Options{})
	target := childTarget("serve")
	e := callError(t, pool, target, "die", "")
	require.Equal(t, MaybeRun, e.Ran)
	require.Equal(t, StageAnswer, e.Stage)
	require.ErrorIs(t, e, io.EOF)
	require.Contains(t, e.Stderr, "out of memory")

	res, err := call(t, pool, target, "echo", `{"text":"back"}`)
	require.NoError(t, err)
	require.Equal(t, "back", res.Text())
}

// A child that died between two calls costs the second one nothing but a start.
func TestChildKilledWhileIdle(t *testing.T) {
	t.Parallel()
	pool := newPool(t, Options{})
	target := childTarget("serve")
	for range 5 {
		res, err := call(t, pool, target, "pid", "")
		require.NoError(t, err)
		require.NoError(t, syscall.Kill(pidOf(t, res.Text()), syscall.SIGKILL))
		require.Eventually(t, func() bool { return sessions(pool) == 0 }, patience, time.Millisecond)
	}
}

func TestEnvironmentIsBuiltFromNothing(t *testing.T) {
	t.Setenv("STEWARD_CANARY", "must not leak")
	pool := newPool(t, Options{})
	target := childTarget("serve")
	target.Stdio.Env = map[string]secret.String{"API_KEY": secret.New("s3cret")}
	res, err := call(t, pool, target, "environment", "")
	require.NoError(t, err)
	env := map[string]string{}
	for line := range strings.SplitSeq(res.Text(), "\n") {
		name, value, _ := strings.Cut(line, "=")
		env[name] = value
	}
	require.Equal(t, "s3cret", env["API_KEY"])
	require.Equal(t, os.Getenv("PATH"), env["PATH"])
	require.Equal(t, "C.UTF-8", env["LANG"])
	require.Equal(t, env["WORKDIR"], env["HOME"])
	require.NotEqual(t, os.Getenv("HOME"), env["HOME"])
	delete(env, "PWD") // exec sets it beside Dir
	require.Len(t, env, 5)

	require.NoError(t, pool.Close(t.Context()))
	require.NoDirExists(t, env["HOME"])
}

func TestGrandchildDiesWithTheSession(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(ctx context.Context, pool *Pool, pid int) error{
		"closed": func(ctx context.Context, pool *Pool, _ int) error { return pool.Close(ctx) },
		"killed": func(_ context.Context, _ *Pool, pid int) error { return syscall.Kill(pid, syscall.SIGKILL) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := newPool(t, Options{})
			child, err := call(t, pool, childTarget("serve"), "pid", "")
			require.NoError(t, err)
			grandchild, err := call(t, pool, childTarget("serve"), "fork", "")
			require.NoError(t, err)
			require.False(t, gone(pidOf(t, grandchild.Text())))
			require.NoError(t, end(t.Context(), pool, pidOf(t, child.Text())))
			require.Eventually(t, func() bool { return gone(pidOf(t, grandchild.Text())) }, patience, 5*time.Millisecond)
		})
	}
}

func TestStubbornChildIsTerminated(t *testing.T) {
	t.Parallel()
	pool := newPool(t, Options{})
	res, err := call(t, pool, childTarget("stubborn"), "pid", "")
	require.NoError(t, err)
	require.NoError(t, pool.Close(t.Context()))
	require.True(t, gone(pidOf(t, res.Text())))
}

// The worker may be killed without a chance to clean up.
func TestChildDiesWithUs(t *testing.T) {
	t.Parallel()
	us := exec.CommandContext(t.Context(), os.Args[0], "child", "keeper")
	out, err := us.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, us.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	pid := pidOf(t, line)
	require.False(t, gone(pid))
	require.NoError(t, us.Process.Kill())
	_ = us.Wait() // killed
	require.Eventually(t, func() bool { return gone(pid) }, patience, 5*time.Millisecond)
}

// Whoever drops a session may rely on its child doing nothing more.
func TestDrop(t *testing.T) {
	t.Parallel()
	pool := newPool(t, Options{})
	pool.Drop(Key{Owner: "nobody"})

	target := childTarget("stubborn")
	pid := func() int {
		res, err := call(t, pool, target, "pid", "")
		require.NoError(t, err)
		return pidOf(t, res.Text())
	}
	busy := pid()
	dir := t.TempDir()
	failed := make(chan error, 1)
	go func() {
		_, err := pool.Call(t.Context(), target, Call{
			Tool: "hang", Arguments: []byte(`{"started":"` + dir + `/s","cancelled":"` + dir + `/c"}`),
		})
		failed <- err
	}()
	require.Eventually(t, func() bool { _, err := os.Stat(dir + "/s"); return err == nil }, patience, time.Millisecond)
	pool.Drop(target.Key)
	require.True(t, gone(busy))
	var e *Error
	require.ErrorAs(t, <-failed, &e)
	require.Equal(t, MaybeRun, e.Ran)

	leaving := pid()
	s, _, dialErr := pool.acquire(t.Context(), target)
	require.Nil(t, dialErr)
	pool.retire(s)
	pool.release(s)
	require.False(t, gone(leaving), "retired, and in no hurry")
	pool.Drop(target.Key)
	require.True(t, gone(leaving))
}
