package process

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// drainGrace is how long we read what a dead child left in its pipes. Only a grandchild that left its group, where
// there are no process namespaces, can keep them open that long.
const drainGrace = time.Second

// Start starts the child and returns once it runs: a command that cannot be executed is an error here, with the
// cause in its chain. The child is killed when ctx ends or when we die ourselves. What it writes to stderr, and how
// it ended if not well, goes to stderr, which must not block.
func Start(ctx context.Context, spec Spec, stderr io.Writer) (*Process, error) {
	path, err := exec.LookPath(spec.Command)
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return nil, fmt.Errorf("finding the child's program: %w", err)
	}
	spec.Command = path
	cleanup := func() {}
	if spec.Dir == "" {
		if spec.Dir, err = os.MkdirTemp("", "mcp-child-"); err != nil {
			return nil, fmt.Errorf("making a working directory: %w", err)
		}
		cleanup = func() { _ = os.RemoveAll(spec.Dir) }
	}
	start := startPlain
	if spec.Sandbox != nil {
		start = startConfined
	}
	p, err := start(ctx, &spec, stderr, cleanup)
	if err != nil {
		cleanup()
		return nil, fmt.Errorf("starting the child: %w", err)
	}
	return p, nil
}

func startPlain(ctx context.Context, spec *Spec, stderr io.Writer, cleanup func()) (*Process, error) {
	cmd := exec.CommandContext(ctx, spec.Command, spec.Args...) //nolint:gosec // the command is the server's registered one; no shell
	cmd.Dir, cmd.Env, cmd.SysProcAttr = spec.Dir, spec.environment(), ownGroup()
	return run(cmd, stderr, cleanup)
}

// run starts cmd and watches over it; cleanup is called when it is gone.
func run(cmd *exec.Cmd, stderr io.Writer, cleanup func()) (*Process, error) {
	p := &Process{cmd: cmd, exited: make(chan struct{}), drained: make(chan struct{})}
	cmd.Cancel = func() error { return signalGroup(cmd.Process.Pid, syscall.SIGKILL) }
	words, ends, err := p.pipes()
	if err != nil {
		return nil, fmt.Errorf("making pipes: %w", err)
	}
	started := make(chan error)
	go func() {
		// The kernel ties the parent-death signal to the thread that forked, and Go may end a thread that
		// no goroutine is locked to. Waiting blocks a thread anyway.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		closeAll(ends)
		started <- err
		if err == nil {
			p.watch(words, stderr, cleanup)
		}
	}()
	if err := <-started; err != nil {
		closeAll([]*os.File{p.Stdin, p.Stdout, words})
		return nil, err
	}
	go func() {
		defer close(p.drained)
		_, _ = io.Copy(stderr, words)
		_ = words.Close()
	}()
	return p, nil
}

// pipes connects the three standard files. We do not use exec's own pipes: Wait closes those, and what a
// child said last would be lost.
func (p *Process) pipes() (stderr *os.File, childEnds []*os.File, err error) {
	var all []*os.File
	pair := func() (r, w *os.File) {
		if err == nil {
			if r, w, err = os.Pipe(); err == nil {
				all = append(all, r, w)
			}
		}
		return r, w
	}
	inR, inW := pair()
	outR, outW := pair()
	errR, errW := pair()
	if err != nil {
		closeAll(all)
		return nil, nil, err
	}
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = inR, outW, errW
	p.Stdin, p.Stdout = inW, outR
	return errR, []*os.File{inR, outW, errW}, nil
}

// watch reaps the child, then its group. The group's number cannot be somebody else's: the kernel keeps it
// while a member lives, and hands out a free one only after counting through all the others.
func (p *Process) watch(words *os.File, stderr io.Writer, cleanup func()) {
	if p.err = p.cmd.Wait(); p.err != nil {
		_, _ = fmt.Fprintf(stderr, "(child ended: %v)\n", p.err)
	}
	_ = signalGroup(p.PID(), syscall.SIGKILL)
	until := time.Now().Add(drainGrace)
	_ = p.Stdout.SetReadDeadline(until)
	_ = words.SetReadDeadline(until)
	cleanup()
	close(p.exited)
}

func closeAll(files []*os.File) {
	for _, f := range files {
		_ = f.Close()
	}
}
