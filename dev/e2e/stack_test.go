package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/install/command"
)

// stack is a running `steward dev` with a data folder of its own.
type stack struct {
	dir string // data folder
	url string // of the API
	env []string
	cmd *exec.Cmd
	log *bytes.Buffer
	ui  string

	ended <-chan error
}

// shared is the stack of every test that breaks nothing.
var shared = sync.OnceValues(func() (*stack, error) {
	dir, err := folder()
	if err != nil {
		return nil, err
	}
	return start(dir)
})

// folder makes a data folder. Under root PostgreSQL runs as another user, who must get through to its own.
func folder() (string, error) {
	dir, err := os.MkdirTemp("", "steward-e2e-")
	if err != nil {
		return "", err
	}
	return dir, os.Chmod(dir, 0o711)
}

func TestMain(m *testing.M) {
	if dir := os.Getenv(serverFolder); dir != "" {
		serveTools(dir)
		return
	}
	code := m.Run()
	if !used.Load() {
		os.Exit(code)
	}
	if s, err := shared(); err == nil {
		_ = s.stop()
		if code == 0 {
			_ = os.RemoveAll(s.dir)
		}
	}
	os.Exit(code)
}

// used says that there is a shared stack to stop.
var used atomic.Bool

func running(t *testing.T) *stack {
	t.Helper()
	used.Store(true)
	s, err := shared()
	require.NoError(t, err)
	return s
}

// own starts a stack for one test.
func own(t *testing.T, env ...string) *stack {
	t.Helper()
	dir, err := folder()
	require.NoError(t, err)
	s, err := start(dir, env...)
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = s.stop()
		if t.Failed() {
			t.Logf("data kept in %s; steward dev said:\n%s", dir, tail(s.log.String()))
			return
		}
		require.NoError(t, os.RemoveAll(dir))
	})
	return s
}

// start makes a stack. A port that was free may be taken before the stack has it: then it tries others.
func start(dir string, env ...string) (s *stack, err error) {
	for range 3 {
		if s, err = startOnce(dir, env...); err == nil || !strings.Contains(s.said(), "address already in use") {
			return s, err
		}
	}
	return s, err
}

// said is what steward dev has written so far.
func (s *stack) said() string {
	if s == nil {
		return ""
	}
	return s.log.String()
}

func startOnce(dir string, env ...string) (*stack, error) {
	api, err := listenOf(env)
	if err != nil {
		return nil, err
	}
	ui, err := freePort()
	if err != nil {
		return nil, err
	}
	s := &stack{dir: dir, url: "http://" + api, ui: "http://" + ui, log: &bytes.Buffer{}}
	s.env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "STEWARD_DATA=" + dir, "STEWARD_LISTEN=" + api,
		"STEWARD_PUBLIC_URL=" + s.url, "STEWARD_TEMPORAL_UI_URL=" + s.ui, "STEWARD_TEMPORAL_PORT=0", "STEWARD_RATE_CREATE=100000",
		"STEWARD_RATE_READ=1000000",
	}, append(command.Environment(os.Environ(), nil, "NPM_CONFIG_", "NPM_TOKEN", "PIP_"), env...)...)
	return s, s.up()
}

// listenOf is the address that env names, else a free one.
func listenOf(env []string) (string, error) {
	for _, pair := range env {
		if address, ok := strings.CutPrefix(pair, "STEWARD_LISTEN="); ok {
			return address, nil
		}
	}
	return freePort()
}

// up starts the process and waits until the API, Temporal and a worker are ready.
func (s *stack) up() error {
	s.cmd = exec.Command(binary(), "dev", "--no-sample") //nolint:noctx // ended by stop
	s.cmd.Env = s.env
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	started, ended := make(chan error), make(chan error, 1)
	go func() {
		runtime.LockOSThread() // the parent-death signal is tied to the thread that forked
		defer runtime.UnlockOSThread()
		err := s.cmd.Start()
		started <- err
		if err == nil {
			ended <- s.cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	s.ended = ended
	for ctx.Err() == nil {
		if s.call(ctx, "GET", "/ready", "", nil).status == 200 {
			return nil
		}
		select {
		case err := <-ended:
			return fmt.Errorf("steward dev ended: %w:\n%s", err, tail(s.log.String()))
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
	_ = s.stop()
	return fmt.Errorf("steward dev did not become ready:\n%s", tail(s.log.String()))
}

func (s *stack) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGINT); err != nil {
		return err
	}
	select {
	case err := <-s.ended:
		return err
	case <-time.After(60 * time.Second):
		_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
		return fmt.Errorf("steward dev did not drain in 60 s:\n%s", tail(s.log.String()))
	}
}

// part is one supervised process as the stack's state file names it.
type part struct {
	PID     int    `json:"pid"`
	Address string `json:"address"`
	Debug   string `json:"debug"`
	Log     string `json:"log"`
}

// part reads the state file: a restarted process has a new number.
func (s *stack) part(name string) (part, error) {
	doc, err := os.ReadFile(filepath.Join(s.dir, "run", "stack.json"))
	if err != nil {
		return part{}, err
	}
	state := map[string]json.RawMessage{}
	if err := json.Unmarshal(doc, &state); err != nil {
		return part{}, err
	}
	var p part
	err = json.Unmarshal(state[name], &p)
	return p, err
}

func (s *stack) pid(name string) (int, error) {
	p, err := s.part(name)
	if err == nil && p.PID == 0 {
		err = fmt.Errorf("%s is between two lives", name)
	}
	return p.PID, err
}

func (s *stack) kill(t testing.TB, name string) {
	t.Helper()
	pid, err := s.pid(name)
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
}

// steward runs the CLI against this stack.
func (s *stack) steward(t testing.TB, args ...string) string {
	t.Helper()
	out, err := s.try(t.Context(), args...)
	require.NoError(t, err, out)
	return out
}

func (s *stack) try(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, binary(), args...)
	cmd.Env = s.env
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if err != nil {
		return stdout.String() + stderr.String(), err
	}
	return stdout.String(), nil
}

// outbox lists the mails that the sandbox mailbox has sent.
func (s *stack) outbox(t testing.TB) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(s.dir, "outbox", "*.eml"))
	require.NoError(t, err)
	mails := map[string]string{}
	for _, f := range files {
		doc, err := os.ReadFile(f)
		require.NoError(t, err)
		mails[filepath.Base(f)] = string(doc)
	}
	return mails
}

func binary() string {
	dir, err := os.Getwd()
	if err != nil {
		return "steward"
	}
	return filepath.Join(dir, "..", "..", "bin", "steward")
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a moment
	if err != nil {
		return "", err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String(), nil
}

func tail(s string) string {
	lines := strings.Split(s, "\n")
	return strings.Join(lines[max(0, len(lines)-60):], "\n")
}
