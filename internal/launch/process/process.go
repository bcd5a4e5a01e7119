// Package process starts MCP servers as our children, each with exactly what it may have: an environment built from
// nothing, a folder of its own, and, where the kernel allows, a view of the file system that holds nothing else, a
// user number, a process namespace and limits of its own. A child never outlives us, and nothing that it started
// outlives it.
//
// On Linux a confined child is started through this very program: it becomes a wrapper (Become) that takes away what
// the child shall not have, and then becomes the child.
package process

import (
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"steward/internal/secret"
)

// Spec says what to start.
type Spec struct {
	Command string // a path, or a name found in our PATH; never a shell line
	Args    []string
	// Env is added to the only variables the child gets otherwise: PATH, HOME, LANG and TMPDIR.
	Env map[string]secret.String
	// Dir is the child's working directory and HOME, which it may change. Empty means a fresh temporary one,
	// removed afterwards.
	Dir string
	// Sandbox is what else it may have. Nil confines nothing: for programs of our own tests.
	Sandbox *Sandbox
}

// Process is a running child. Its methods may be called from any goroutine.
type Process struct {
	Stdin  *os.File // our end; both take deadlines
	Stdout *os.File

	cmd     *exec.Cmd
	missing []string
	err     error         // how it ended; set before exited is closed
	exited  chan struct{} // closed once the child is reaped, what it started killed and its temporary folder removed
	drained chan struct{} // closed once its stderr is read to the end
	closing sync.Once
}

// closeGrace is how long a child gets after its stdin closed, and again after SIGTERM.
const closeGrace = 2 * time.Second

// PID is the child's number as we see it.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Missing names, in words for an admin, what the kernel did not let us take away from the child. Its stderr begins with
// the same.
func (p *Process) Missing() []string { return p.missing }

// Exited is closed when neither the child nor, in a process namespace, anything that it started is left.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Wait returns when the child is gone: nil if it ended well, else an *exec.ExitError.
func (p *Process) Wait() error {
	<-p.exited
	return p.err
}

// Kill ends the child and its group at once.
func (p *Process) Kill() {
	select {
	case <-p.exited:
	default:
		_ = signalGroup(p.PID(), syscall.SIGKILL)
	}
}

// Close ends the child politely and does not wait for it: its stdin closes, later comes SIGTERM, then SIGKILL
// (MCP 2025-11-25, basic/lifecycle, "Shutdown").
func (p *Process) Close() {
	p.closing.Do(func() {
		_ = p.Stdin.Close()
		_ = p.Stdout.Close() // ends our reader; nobody waits for an answer any more
		go func() {
			if p.waitFor(closeGrace) {
				return
			}
			_ = signalGroup(p.PID(), syscall.SIGTERM)
			if !p.waitFor(closeGrace) {
				p.Kill()
			}
		}()
	})
}

// WaitForWords waits until what the child wrote to stderr has been passed on to its end, but no longer than d.
func (p *Process) WaitForWords(d time.Duration) {
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

func (p *Process) waitFor(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-p.exited:
		return true
	case <-timer.C:
		return false
	}
}
