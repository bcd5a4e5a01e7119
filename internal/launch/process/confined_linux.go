package process

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// self is this very program, also after its file was replaced.
const self = "/proc/self/exe"

// confinement is a child that is about to be started through the wrapper.
type confinement struct {
	order   order
	reach   func(netip.AddrPort) bool
	stderr  io.Writer
	cleanup func()
}

func startConfined(ctx context.Context, spec *Spec, stderr io.Writer, cleanup func()) (*Process, error) {
	c := &confinement{order: newOrder(spec), reach: spec.Sandbox.Reach, stderr: stderr, cleanup: cleanup}
	if os.Geteuid() == 0 {
		c.order.User = spec.Sandbox.Identity.user()
	}
	return c.start(ctx)
}

// Examine starts a confined child that does nothing, and says in words for an admin what the kernel does not let us
// take away from children here.
func Examine(ctx context.Context) ([]string, error) {
	dir, err := os.MkdirTemp("", "mcp-child-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	everywhere := func(netip.AddrPort) bool { return true }
	c := &confinement{
		order: newOrder(&Spec{Dir: dir, Sandbox: &Sandbox{Connect: true, Reach: everywhere}}), reach: everywhere,
		stderr: io.Discard, cleanup: func() {},
	}
	c.order.Path = "" // it is enough to get so far
	if os.Geteuid() == 0 {
		c.order.User = Identity{}.user()
	}
	p, err := c.start(ctx)
	if err != nil {
		return nil, err
	}
	p.Close()
	return p.missing, p.Wait()
}

// start starts the child in namespaces of its own if the kernel lets us make them.
func (c *confinement) start(ctx context.Context) (*Process, error) {
	if !armed.Load() {
		return nil, errors.New("process.Become was not called first in main: a child cannot be confined")
	}
	c.order.Namespaces = true
	p, err := c.attempt(ctx, namespaces())
	if !refused(err) {
		return p, err
	}
	c.order.Namespaces = false
	return c.attempt(ctx, &syscall.SysProcAttr{})
}

// namespaces asks for a process namespace, whose processes all die with the first, and for one of mounts and of
// shared memory. Who is not root needs a user namespace for that, in which the wrapper, and it alone, has what it
// takes to mount.
func namespaces() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWIPC}
	if uid, gid := os.Geteuid(), os.Getegid(); uid != 0 {
		attr.Cloneflags |= unix.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: uid, Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: gid, HostID: gid, Size: 1}}
		attr.AmbientCaps = []uintptr{unix.CAP_SYS_ADMIN}
	}
	return attr
}

// refused reports whether the kernel, or what stands in front of it, does not let us have namespaces.
func refused(err error) bool {
	return slices.ContainsFunc([]error{syscall.EPERM, syscall.EACCES, syscall.EINVAL, syscall.ENOSPC, syscall.EUSERS, syscall.ENOSYS},
		func(no error) bool { return errors.Is(err, no) && !errors.Is(err, errWrapper) })
}

// errWrapper marks that a wrapper ran and could not become the child.
var errWrapper = errors.New("the wrapper")

// attempt starts the wrapper once and waits until it is the child.
func (c *confinement) attempt(ctx context.Context, attr *syscall.SysProcAttr) (*Process, error) {
	orders, tell, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer closeAll([]*os.File{orders, tell})
	hear, reports, err := socketPair()
	if err != nil {
		return nil, err
	}
	defer func() { _ = hear.Close() }()
	cmd := exec.CommandContext(ctx, self)
	cmd.Args, cmd.Env, cmd.Dir, cmd.SysProcAttr = []string{wrapperName}, []string{}, "/", attr
	cmd.ExtraFiles = []*os.File{orders, reports}
	attr.Setsid, attr.Pdeathsig = true, syscall.SIGKILL // a session of its own: no terminal to type into
	p, err := run(cmd, c.stderr, c.cleanup)
	closeAll([]*os.File{orders, reports})
	if err != nil {
		return nil, err
	}
	r, listener, err := agree(&c.order, tell, hear)
	if listener != nil {
		v := &supervisor{listener: listener, reach: c.reach, ports: c.order.Ports, busy: make(chan struct{}, mostDials)}
		go v.run()
	}
	if err != nil {
		p.Kill()
		closeAll([]*os.File{p.Stdin, p.Stdout})
		<-p.exited
		return nil, err
	}
	p.missing = r.Missing
	for _, layer := range p.missing {
		_, _ = fmt.Fprintf(c.stderr, "(confined without %s)\n", layer)
	}
	return p, nil
}

// socketPair is a pipe that can carry descriptors.
func socketPair() (*net.UnixConn, *os.File, error) {
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	ours, theirs := os.NewFile(uintptr(ends[0]), "hear"), os.NewFile(uintptr(ends[1]), "reports")
	defer func() { _ = ours.Close() }() // FileConn has its own
	conn, err := net.FileConn(ours)
	if err != nil {
		_ = theirs.Close()
		return nil, nil, err
	}
	return conn.(*net.UnixConn), theirs, nil
}

// agree tells the wrapper its order and waits until it has become the child, which closes its end of the pipe. The
// file is the listener of its system calls, if it has one.
func agree(o *order, tell *os.File, hear *net.UnixConn) (report, *os.File, error) {
	if err := errors.Join(json.NewEncoder(tell).Encode(o), tell.Close()); err != nil {
		return report{}, nil, fmt.Errorf("%w: %w", errWrapper, err)
	}
	var said bytes.Buffer
	var listener *os.File
	for {
		buf, rights := make([]byte, 4<<10), make([]byte, unix.CmsgSpace(4))
		n, m, _, _, err := hear.ReadMsgUnix(buf, rights)
		said.Write(buf[:max(n, 0)])
		if m > 0 && listener == nil {
			listener = received(rights[:m])
		}
		if err != nil || n == 0 { // io.EOF, and whatever else ends it
			break
		}
	}
	var r report
	words, heard := json.NewDecoder(&said), false
	for words.Decode(&r) == nil {
		heard = true
	}
	switch {
	case !heard:
		return r, listener, fmt.Errorf("%w ended before it was the child", errWrapper)
	case r.Failed != "":
		return r, listener, fmt.Errorf("%w: %s: %w", errWrapper, r.Failed, syscall.Errno(r.Errno))
	}
	return r, listener, nil
}

// received takes the descriptor out of a message.
func received(rights []byte) *os.File {
	messages, err := unix.ParseSocketControlMessage(rights)
	if err != nil || len(messages) == 0 {
		return nil
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) == 0 {
		return nil
	}
	unix.CloseOnExec(fds[0])
	if err := unix.SetNonblock(fds[0], true); err != nil { // then Go waits for it without a thread
		_ = unix.Close(fds[0])
		return nil
	}
	return os.NewFile(uintptr(fds[0]), "connects")
}
