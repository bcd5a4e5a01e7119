package mcpclient

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

const (
	// closeGrace is how long a child gets after its stdin closed, and again after SIGTERM.
	closeGrace = 2 * time.Second
	// drainGrace is how long we read what a dead child left in its pipes. Only a grandchild that left the
	// process group can keep them open that long.
	drainGrace = time.Second
)

// process is a child in a process group of its own. When the child ends, for whatever reason, the rest of
// the group is killed.
type process struct {
	stdin  *os.File
	stdout *os.File
	log    *ring

	cmd     *exec.Cmd
	exited  chan struct{} // closed once the child is reaped, its group killed and its folder removed
	drained chan struct{} // closed once stderr is read to its end
	closing sync.Once
}

// startProcess starts the child. It is killed when ctx ends or when we die ourselves.
func startProcess(ctx context.Context, cfg *Stdio, log *ring) (*process, error) {
	dir, cleanup, err := privateDir(cfg.Dir)
	if err != nil {
		return nil, err
	}
	p := &process{log: log, exited: make(chan struct{}), drained: make(chan struct{})}
	cmd := exec.CommandContext(ctx, cfg.Command, cfg.Args...) //nolint:gosec // the command is the server's registered one; no shell
	cmd.Dir = dir
	cmd.Env = environment(cfg, dir)
	cmd.SysProcAttr = groupAttr()
	cmd.Cancel = func() error { return killGroup(cmd.Process.Pid) }
	p.cmd = cmd
	stderr, ends, err := p.pipes()
	if err != nil {
		cleanup()
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
		if err != nil {
			cleanup()
		}
		started <- err
		if err == nil {
			p.wait(stderr, cleanup)
		}
	}()
	if err := <-started; err != nil {
		closeAll([]*os.File{p.stdin, p.stdout, stderr})
		return nil, fmt.Errorf("starting the child: %w", err)
	}
	go func() {
		defer close(p.drained)
		_, _ = io.Copy(log, stderr)
		_ = stderr.Close()
	}()
	return p, nil
}

// pipes connects the three standard files. We do not use exec's own pipes: Wait closes those, and what a
// child said last would be lost.
func (p *process) pipes() (stderr *os.File, childEnds []*os.File, err error) {
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
	p.stdin, p.stdout = inW, outR
	return errR, []*os.File{inR, outW, errW}, nil
}

// wait reaps the child, then its group. The group's number cannot be somebody else's: the kernel keeps it
// while a member lives, and hands out a free one only after counting through all the others.
func (p *process) wait(stderr *os.File, cleanup func()) {
	if err := p.cmd.Wait(); err != nil {
		_, _ = fmt.Fprintf(p.log, "(child ended: %v)\n", err)
	}
	_ = killGroup(p.cmd.Process.Pid)
	until := time.Now().Add(drainGrace)
	_ = p.stdout.SetReadDeadline(until)
	_ = stderr.SetReadDeadline(until)
	cleanup()
	close(p.exited)
}

// kill ends the group at once.
func (p *process) kill() {
	select {
	case <-p.exited:
	default:
		_ = killGroup(p.cmd.Process.Pid)
	}
}

// close ends the child politely and does not wait for it: its stdin closes, later comes SIGTERM, then
// SIGKILL (2025-11-25, basic/lifecycle, "Shutdown").
func (p *process) close() {
	p.closing.Do(func() {
		_ = p.stdin.Close()
		_ = p.stdout.Close() // ends our reader; nobody waits for an answer any more
		go func() {
			if p.waitFor(closeGrace) {
				return
			}
			_ = signalGroup(p.cmd.Process.Pid, syscall.SIGTERM)
			if !p.waitFor(closeGrace) {
				p.kill()
			}
		}()
	})
}

// waitForWords waits until the child's stderr has been read to its end, but no longer than d.
func (p *process) waitForWords(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for _, done := range []chan struct{}{p.exited, p.drained} {
		select {
		case <-done:
		case <-timer.C:
			return
		}
	}
}

func (p *process) waitFor(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-p.exited:
		return true
	case <-timer.C:
		return false
	}
}

// privateDir returns the child's working directory and what removes it.
func privateDir(dir string) (string, func(), error) {
	if dir != "" {
		return dir, func() {}, nil
	}
	dir, err := os.MkdirTemp("", "mcp-child-")
	if err != nil {
		return "", nil, fmt.Errorf("making a working directory: %w", err)
	}
	return dir, func() { _ = os.RemoveAll(dir) }, nil
}

// environment is built from nothing, so that no secret of ours reaches a child by accident.
func environment(cfg *Stdio, home string) []string {
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "LANG=C.UTF-8"}
	for name, value := range cfg.Env {
		env = append(env, name+"="+value.Reveal())
	}
	return env
}

func closeAll(files []*os.File) {
	for _, f := range files {
		_ = f.Close()
	}
}
