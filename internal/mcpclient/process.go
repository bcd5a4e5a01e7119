package mcpclient

import (
	"context"
	"os"
	"time"

	launch "steward/internal/launch/process"
)

// process is a server's child and what it says beside the protocol.
type process struct {
	stdin  *os.File
	stdout *os.File
	log    *ring
	exited <-chan struct{} // closed once nothing is left of it

	child *launch.Process
}

// startProcess starts the child. It is killed when ctx ends or when we die ourselves.
func startProcess(ctx context.Context, cfg *Stdio, log *ring) (*process, error) {
	child, err := launch.Start(ctx, launch.Spec{Command: cfg.Command, Args: cfg.Args, Env: cfg.Env, Dir: cfg.Dir, Sandbox: cfg.Sandbox}, log)
	if err != nil {
		return nil, err
	}
	return &process{stdin: child.Stdin, stdout: child.Stdout, log: log, exited: child.Exited(), child: child}, nil
}

// kill ends the child and what it started at once.
func (p *process) kill() { p.child.Kill() }

// close ends the child politely and does not wait for it.
func (p *process) close() { p.child.Close() }

// waitForWords waits until the child's stderr has been read to its end, but no longer than d.
func (p *process) waitForWords(d time.Duration) { p.child.WaitForWords(d) }
