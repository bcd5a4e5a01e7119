package e2e_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"steward/dev/offline"
	"steward/internal/registry"
)

// stopped is how long a worker stands still: longer than the heartbeat timeout of 5 s and what follows it,
// so that Temporal gives its work to somebody else.
const stopped = 12 * time.Second

// A worker that is stopped in the middle of a send and comes back must neither send again nor overwrite
// what was found out meanwhile.
func TestWorkerThatComesBackDoesNotSendAgain(t *testing.T) {
	t.Parallel()
	for name, another := range map[string]bool{"alone": false, "beside another worker": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := own(t)
			u := s.as(t, "alice")
			server := s.addRemote(t, 301, "remote")
			id := u.accept(map[string]any{"servers": []string{"remote"}, "approval": "never", "instructions": simulate(1, "post", textIn{"once"})})
			server.awaitCall(t)
			if another {
				s.anotherWorker(t)
			}
			s.signal(t, "worker", syscall.SIGSTOP)
			pause(t.Context(), stopped)
			close(server.answer)
			s.signal(t, "worker", syscall.SIGCONT)
			v := u.until(id, time.Minute, ended)
			require.Equal(t, "success", v.State, "%+v", v)
			require.Equal(t, "done", v.ToolCalls[0].Outcome)
			require.Len(t, effects(server.dir, ""), 1)
			s.verified(t, id)
		})
	}
}

// The other moment: the claim is committed and nothing is sent yet, because the server's process has to be
// started first. Whoever takes the call over sends it; the worker that comes back must not.
func TestWorkerStoppedBetweenClaimAndSendDoesNotSend(t *testing.T) {
	t.Parallel()
	s := own(t)
	u := s.as(t, "alice")
	dir := s.addServer(t, 302, "gated", nil)
	s.anotherWorker(t)
	id := u.accept(map[string]any{"servers": []string{"gated"}, "instructions": simulate(1, "post", textIn{"once"})})
	u.until(id, time.Minute, inState("waiting_for_approval"))
	claim := s.holdClaim(t, u.get(id).ToolCalls[0].ID) // the tool's definition is looked at before the claim: that gets through
	u.decide(id, "approve")
	claim.awaited(t)
	require.NoError(t, os.WriteFile(gate(dir), nil, 0o600))
	for _, p := range servers(t, dir) { // the call must start a new one
		require.NoError(t, syscall.Kill(p.pid, syscall.SIGKILL))
	}
	require.Eventually(t, func() bool { return len(servers(t, dir)) == 0 }, 10*time.Second, 10*time.Millisecond)
	claim.letGo(t)
	require.Eventually(t, func() bool { return len(servers(t, dir)) == 1 }, 10*time.Second, 10*time.Millisecond)
	holder := servers(t, dir)[0].parent
	require.Equal(t, "claimed", u.get(id).ToolCalls[0].State)
	require.NoError(t, syscall.Kill(holder, syscall.SIGSTOP))
	began := time.Now()
	s.kill(t, "temporal") // with it go the stopped worker's open polls, which would swallow every new attempt
	require.Eventually(t, func() bool { return len(servers(t, dir)) > 1 }, 50*time.Second, 10*time.Millisecond, "nobody takes over")
	require.NoError(t, os.Remove(gate(dir)))
	v := u.until(id, time.Minute, ended)
	require.Equal(t, "success", v.State, "%+v", v)
	require.Len(t, effects(dir, ""), 1)
	require.NoError(t, syscall.Kill(holder, syscall.SIGCONT))
	t.Logf("stopped for %v", time.Since(began))
	require.Never(t, func() bool { return len(effects(dir, "")) > 1 }, 8*time.Second, 50*time.Millisecond, "the zombie has sent")
	require.Equal(t, "done", u.get(id).ToolCalls[0].State)
	s.verified(t, id)
}

// heldClaim keeps whoever claims a call waiting for PostgreSQL.
type heldClaim struct{ tx pgx.Tx }

func (s *stack) holdClaim(t *testing.T, call string) heldClaim {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.databaseURL(t, "database.url"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	tx, err := conn.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), "SELECT FROM tool_calls WHERE id = $1 FOR NO KEY UPDATE", call)
	require.NoError(t, err)
	return heldClaim{tx}
}

func (h heldClaim) awaited(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool {
		var waiting bool
		err := h.tx.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM pg_stat_activity
			WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid)))`).Scan(&waiting)
		return err == nil && waiting
	}, 10*time.Second, 10*time.Millisecond)
}

func (h heldClaim) letGo(t *testing.T) {
	t.Helper()
	require.NoError(t, h.tx.Rollback(t.Context()))
}

// remote is an MCP server of the test itself, which keeps the answer to post back until it is told.
type remote struct {
	dir    string
	called chan struct{}
	answer chan struct{}
}

func (s *stack) addRemote(t *testing.T, id int64, name string) *remote {
	t.Helper()
	r := &remote{dir: t.TempDir(), called: make(chan struct{}, 16), answer: make(chan struct{})}
	server := tools(r.dir)
	server.AddReceivingMiddleware(func(next mcp.MethodHandler) mcp.MethodHandler {
		return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
			res, err := next(ctx, method, req)
			if call, ok := req.(*mcp.CallToolRequest); ok && call.Params.Name == "post" {
				r.called <- struct{}{}
				<-r.answer
			}
			return res, err
		}
	})
	web := httptest.NewServer(mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, nil))
	t.Cleanup(func() {
		web.CloseClientConnections() // a worker holds a stream of notifications
		web.Close()
	})
	s.register(t, registry.Server{ID: id, Name: name, Transport: "http", URL: web.URL, Trusted: true})
	return r
}

func (r *remote) awaitCall(t *testing.T) {
	t.Helper()
	select {
	case <-r.called:
	case <-time.After(time.Minute):
		require.FailNow(t, "the tool was not called")
	}
}

// anotherWorker joins the stack, as a second machine does.
func (s *stack) anotherWorker(t *testing.T) {
	t.Helper()
	temporal, err := s.part("temporal")
	require.NoError(t, err)
	model, err := s.part("model")
	require.NoError(t, err)
	debug, err := freePort()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), binary(), "serve", "worker")
	cmd.Env = append(append([]string{}, s.env...), "DATABASE_URL="+s.databaseURL(t, "database.url"), "TEMPORAL_ADDRESS="+temporal.Address,
		"OPENAI_BASE_URL=http://"+model.Address+"/v1", "OPENAI_API_KEY=offline", "STEWARD_MODEL="+offline.Model,
		"STEWARD_EGRESS_ALLOW=127.0.0.0/8", "STEWARD_DEBUG_LISTEN="+debug)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGCONT)
		_ = cmd.Wait()
	})
	other := &stack{url: "http://" + debug}
	require.Eventually(t, func() bool {
		return bytes.Contains(other.call(t.Context(), "GET", "/metrics", "", nil).body, []byte("steward_worker_polling 1"))
	}, 30*time.Second, 50*time.Millisecond)
}

type child struct{ pid, parent int }

// servers are the processes of this binary that serve tools from a folder.
func servers(t *testing.T, dir string) (found []child) {
	t.Helper()
	for _, p := range processes(t) {
		env, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.pid), "environ"))
		if err == nil && strings.Contains(string(env), serverFolder+"="+dir+"\x00") {
			found = append(found, p)
		}
	}
	return found
}

// processes are those of this machine that we may look into.
func processes(t *testing.T) (all []child) {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	require.NoError(t, err)
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile(filepath.Join("/proc", e.Name(), "stat"))
		if err != nil {
			continue // gone
		}
		_, rest, _ := strings.Cut(string(stat), ") ") // proc(5): the name may hold anything but this
		if fields := strings.Fields(rest); len(fields) > 1 && fields[0] != "Z" {
			parent, err := strconv.Atoi(fields[1])
			require.NoError(t, err)
			all = append(all, child{pid, parent})
		}
	}
	return all
}
