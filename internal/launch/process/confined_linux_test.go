package process

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/secret"
)

// ordinary is a user who is nobody special.
const ordinary = 65534

// site is a machine with things that a child must not get at.
type site struct {
	*testing.T

	program string // the test binary, where every user gets through to it
	keys    string // the keys file
	own     string // a folder that is the child's to write
	made    string // one that was made for it
	given   string // one that it may read
	foreign string // another server's
	canary  string // address of something that listens on this machine
}

func newSite(t *testing.T) *site {
	t.Helper()
	open, err := os.MkdirTemp("", "steward-launch-")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(open)) })
	require.NoError(t, os.Chmod(open, 0o755))
	s := &site{T: t, program: files.good, keys: filepath.Join(open, "keys")}
	s.own, s.made, s.given, s.foreign = filepath.Join(open, "own"), filepath.Join(open, "made"), filepath.Join(open, "given"), filepath.Join(open, "foreign")
	for _, dir := range []string{s.own, s.made, s.given, s.foreign} {
		require.NoError(t, os.Mkdir(dir, 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "file"), []byte("x"), 0o600))
	}
	require.NoError(t, os.WriteFile(s.keys, []byte("FERNET_KEY=canary"), 0o600))
	var c net.ListenConfig
	l, err := c.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	s.canary = l.Addr().String()
	return s
}

func (s *site) tries() tries {
	environ := fmt.Sprintf("/proc/%d/environ", os.Getpid())
	return tries{
		Read: []string{s.keys, environ, "/etc/shadow", s.given + "/file", s.own + "/file", s.foreign + "/file"},
		List: []string{s.foreign, filepath.Dir(s.own), "/root", s.given, "/usr/bin"}, Write: []string{s.own, s.made, s.given, s.foreign, "/usr", "/etc", "."},
		Dial: []string{s.canary},
	}
}

func (s *site) spec(box Sandbox) Spec {
	box.Read, box.Write, box.Made = append(box.Read, s.given), append(box.Write, s.own), append(box.Made, s.made)
	return Spec{
		Command: s.program, Args: []string{"child", "look"}, Sandbox: &box,
		Env: map[string]secret.String{"API_KEY": secret.New("s3cret")},
	}
}

// look hands the child its tries and returns what came of them.
func (s *site) look(p *Process) seen {
	s.Helper()
	require.NoError(s, json.NewEncoder(p.Stdin).Encode(s.tries()))
	return s.read(p.Stdout)
}

func (s *site) read(from io.Reader) seen {
	s.Helper()
	out, err := io.ReadAll(from)
	require.NoError(s, err)
	var got seen
	require.NoError(s, json.Unmarshal(out, &got), "%s", out)
	return got
}

// requireConfined holds wherever a child is confined at all.
func (s *site) requireConfined(got seen) {
	s.Helper()
	environ := fmt.Sprintf("/proc/%d/environ", os.Getpid())
	for _, path := range []string{s.keys, environ, "/etc/shadow", s.foreign + "/file"} {
		require.NotEmpty(s, got.Read[path], "%s was read", path)
	}
	for _, path := range []string{s.given, "/usr", "/etc", s.foreign} {
		require.NotEmpty(s, got.Write[path], "%s was written to", path)
	}
	require.NotEmpty(s, got.List[s.foreign])
	require.Empty(s, got.List["/usr/bin"])
	require.Empty(s, got.Write["."])
	require.NotEmpty(s, got.Dial[s.canary])
	require.Equal(s, "function not implemented", got.Uring)
	require.Equal(s, "0000000000000000", got.Capabilities)

	names := make([]string, 0, len(got.Env))
	for _, line := range got.Env {
		name, _, _ := strings.Cut(line, "=")
		names = append(names, name)
	}
	slices.Sort(names)
	require.Equal(s, []string{"API_KEY", "HOME", "LANG", "PATH", "TMPDIR"}, names)
	require.Contains(s, got.Env, "HOME="+got.Dir)
}

// requireItsOwn holds where folders can be lent, or belong to the child's user.
func (s *site) requireItsOwn(got seen) {
	s.Helper()
	for _, path := range []string{s.own + "/file", s.given + "/file"} {
		require.Empty(s, got.Read[path])
	}
	require.Empty(s, got.Write[s.own])
	require.Empty(s, got.Write[s.made])
	require.Empty(s, got.List[s.given])
}

func TestChildHasNothingElse(t *testing.T) {
	t.Setenv("STEWARD_CANARY", "must not leak")
	s := newSite(t)
	p, err := Start(t.Context(), s.spec(Sandbox{Identity: Identity{Server: 7, Owner: "ann"}}), os.Stderr)
	require.NoError(t, err)
	got := s.look(p)
	require.NoError(t, p.Wait())
	require.Empty(t, p.Missing(), "this machine can do everything")
	s.requireConfined(got)
	s.requireItsOwn(got)
	require.Equal(t, "permission denied", got.Dial[s.canary])
	require.Equal(t, "no such file or directory", got.Read[s.keys], "not even there")
	require.Equal(t, []string{"1"}, got.Processes, "nobody else's")
	require.Zero(t, got.Parent)
	require.NoDirExists(t, got.Dir, "removed afterwards")
	written, err := os.Stat(filepath.Join(s.own, "written"))
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), written.Mode())
	stat, ok := written.Sys().(*syscall.Stat_t)
	require.True(t, ok)
	require.Equal(t, uint32(os.Getuid()), stat.Uid, "what it makes belongs to the folder's owner")
	if os.Getuid() == 0 {
		require.Equal(t, int(Identity{Server: 7, Owner: "ann"}.user()), got.User)
	}
}

// Without namespaces, as in most containers, folders cannot be lent: the user and Landlock hold it.
func TestChildWithoutNamespaces(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	spec := s.spec(Sandbox{})
	spec.Dir = t.TempDir()
	require.NoError(t, os.Chmod(filepath.Dir(spec.Dir), 0o755))
	o := newOrder(&spec)
	if os.Getuid() == 0 {
		o.User = Identity{Server: 8}.user()
	}
	c := &confinement{order: o, stderr: os.Stderr, cleanup: func() {}}
	p, err := c.attempt(t.Context(), &syscall.SysProcAttr{})
	require.NoError(t, err)
	got := s.look(p)
	require.NoError(t, p.Wait())
	require.Contains(t, p.Missing(), "namespaces of its own: what it starts may outlive it")
	s.requireConfined(got)
	require.Equal(t, "permission denied", got.Read[s.keys])
	if os.Getuid() == 0 {
		require.Equal(t, int(o.User), got.User)
		require.NotEmpty(t, got.Write[s.own], "it is another's")
	}
	require.Empty(t, got.Write[s.made])
}

// As the interpreter of a virtual environment is.
func TestProgramBehindALink(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	require.NoError(t, os.Symlink(s.program, filepath.Join(s.given, "python3")))
	require.NoError(t, os.Symlink("python3", filepath.Join(s.given, "python")))
	spec := s.spec(Sandbox{})
	spec.Command = filepath.Join(s.given, "python")
	p, err := Start(t.Context(), spec, os.Stderr)
	require.NoError(t, err)
	got := s.look(p)
	require.NoError(t, p.Wait())
	s.requireItsOwn(got)
}

// Nobody special, as in production: a user namespace does what root would.
func TestChildOfAnOrdinaryUser(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	cmd := s.keeper(s.own, "child", "look")
	if os.Getuid() == 0 {
		require.NoError(t, filepath.WalkDir(s.own, func(path string, _ fs.DirEntry, err error) error {
			require.NoError(t, err)
			return os.Chown(path, ordinary, ordinary)
		}))
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: ordinary, Gid: ordinary}}
	}
	asked, err := json.Marshal(s.tries())
	require.NoError(t, err)
	var out, words bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(asked), &out, &words
	require.NoError(t, cmd.Run(), &words)
	got := s.read(&out)
	s.requireConfined(got)
	require.NotContains(t, words.String(), "missing:")
	require.Empty(t, got.Write[s.own])
	require.Equal(t, []string{"1"}, got.Processes)
}

// keeper is a process that starts a confined child.
func (s *site) keeper(write string, args ...string) *exec.Cmd {
	return exec.CommandContext(s.Context(), s.program, append([]string{"child", "keeper", write, s.program}, args...)...)
}

func TestConnect(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, port, err := net.SplitHostPort(s.canary)
	require.NoError(t, err)
	var number uint16
	_, err = fmt.Sscan(port, &number)
	require.NoError(t, err)
	for name, tt := range map[string]struct {
		box  Sandbox
		want string
	}{
		"any":          {Sandbox{Connect: true}, ""},
		"this port":    {Sandbox{Connect: true, Ports: []uint16{443, number}}, ""},
		"others only":  {Sandbox{Connect: true, Ports: []uint16{443}}, "permission denied"},
		"none":         {Sandbox{}, "permission denied"},
		"ports unused": {Sandbox{Ports: []uint16{number}}, "permission denied"},
	} {
		p, err := Start(t.Context(), s.spec(tt.box), os.Stderr)
		require.NoError(t, err)
		got := s.look(p)
		require.Equal(t, tt.want, got.Dial[s.canary], name)
		require.NoError(t, p.Wait())
	}
}

// A server that is talked into fetching from this machine, or its network, does not get there.
func TestReach(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var c net.ListenConfig
	l, err := c.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	users := map[string]*syscall.Credential{"as we are": nil}
	if os.Getuid() == 0 {
		users["an ordinary user"] = &syscall.Credential{Uid: ordinary, Gid: ordinary}
	}
	for name, user := range users {
		cmd := exec.CommandContext(t.Context(), s.program, "child", "reacher", l.Addr().String(), s.program, "child", "dial", l.Addr().String(), s.canary)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: user}
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		require.NoError(t, err, name)
		want := "||operation not supported\n" + "permission denied|permission denied|operation not supported\n" + "and itself\n"
		require.Equal(t, want, string(out), name)
	}
}

func TestForkBombIsBounded(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	spec := s.spec(Sandbox{Processes: 40})
	spec.Args = []string{"child", "bomb"}
	p, err := Start(t.Context(), spec, os.Stderr)
	require.NoError(t, err)
	out, err := io.ReadAll(p.Stdout)
	require.NoError(t, err)
	var n int
	_, err = fmt.Sscan(string(out), &n)
	require.NoError(t, err)
	require.Greater(t, n, 5)
	require.Less(t, n, 40)
	require.NoError(t, p.Wait())
}

// A server that gives up its terminal, its parent and its standard files is gone with us all the same, however we go.
func TestNothingOutlivesUs(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(us *exec.Cmd) error{
		"killed": func(us *exec.Cmd) error { return us.Process.Kill() },
	} {
		s := newSite(t)
		socket := filepath.Join(s.own, "s")
		us := s.keeper(s.own, "child", "parent", socket)
		us.Env, us.Stderr = append(os.Environ(), "TMPDIR="+s.own), os.Stderr // it cannot remove its child's folder
		out, err := us.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, us.Start())
		_, err = io.ReadFull(out, make([]byte, len("ready")))
		require.NoError(t, err)
		require.True(t, listens(t, socket), name)
		require.NoError(t, end(us))
		_ = us.Wait() // killed
		require.Eventually(t, func() bool { return !listens(t, socket) }, patience, 1e6, name)
	}
}

func TestNothingOutlivesTheChild(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*Process){
		"closed": (*Process).Close, // it does not end when its stdin does, nor at SIGTERM
		"killed": (*Process).Kill,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			socket := filepath.Join(s.own, "s")
			spec := s.spec(Sandbox{})
			spec.Args = []string{"child", "parent", socket}
			p, err := Start(t.Context(), spec, os.Stderr)
			require.NoError(t, err)
			_, err = io.ReadFull(p.Stdout, make([]byte, len("ready")))
			require.NoError(t, err)
			require.True(t, listens(t, socket))
			end(p)
			require.Error(t, p.Wait())
			require.False(t, listens(t, socket), "gone with it, not after it")
		})
	}
}

func listens(t *testing.T, socket string) bool {
	t.Helper()
	var d net.Dialer
	conn, err := d.DialContext(t.Context(), "unix", socket)
	if err != nil {
		return false
	}
	require.NoError(t, conn.Close())
	return true
}

func TestProgramsThatCannotStart(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	spec := s.spec(Sandbox{})
	spec.Command = "/nonexistent/server"
	_, err := Start(t.Context(), spec, io.Discard)
	require.ErrorIs(t, err, fs.ErrNotExist)

	spec.Command = files.garbage
	_, err = Start(t.Context(), spec, io.Discard)
	require.ErrorIs(t, err, syscall.ENOEXEC)

	spec.Command, spec.Dir = s.program, filepath.Join(s.own, "not", "there")
	_, err = Start(t.Context(), spec, io.Discard)
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestExamine(t *testing.T) {
	t.Parallel()
	missing, err := Examine(t.Context())
	require.NoError(t, err)
	require.Empty(t, missing)
}

func BenchmarkStart(b *testing.B) {
	spec := Spec{Command: "/bin/true", Sandbox: &Sandbox{}}
	for b.Loop() {
		p, err := Start(b.Context(), spec, io.Discard)
		require.NoError(b, err)
		b.StopTimer()
		_ = p.Wait()
		p.Close()
		b.StartTimer()
	}
}
