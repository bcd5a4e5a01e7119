package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// child is one life of the process.
type child struct {
	cmd   *exec.Cmd
	said  <-chan struct{} // closed when it has printed Config.ReadyLine
	ended chan struct{}   // closed when it and its group are gone; then err is set
	err   error           // how it ended, never nil
}

// spawn starts a child. The goroutine that starts it stays on its thread and waits there: Linux sends the
// parent-death signal when the thread that made the child ends, not when the process does.
func spawn(cfg Config) (*child, error) {
	log, err := openLog(cfg.LogFile)
	if err != nil {
		return nil, err
	}
	out := newOutput(cfg, log)
	// A background context: the child outlives the call that starts it, and Stop has signals of its own.
	cmd := exec.CommandContext(context.Background(), cfg.Path, cfg.Args...) //nolint:gosec // G204: running what the caller names is its purpose
	cmd.Env, cmd.Dir = cfg.Env, cfg.Dir
	cmd.SysProcAttr = attributes(cfg)
	cmd.WaitDelay = time.Second // a grandchild that holds the pipe open must not hold us
	cmd.Stdout, cmd.Stderr = out.writer(), out.writer()
	if cfg.Lifeline {
		if _, err := cmd.StdinPipe(); err != nil { // closed by Wait, and by the kernel when we die
			return nil, errors.Join(err, log.Close())
		}
	}
	c := &child{cmd: cmd, said: out.said, ended: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer func() { _ = log.Close() }()
		err := cmd.Start()
		started <- err
		if err == nil {
			c.wait()
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return c, nil
}

// wait reaps the child and kills what it left behind in its group.
func (c *child) wait() {
	c.err = c.cmd.Wait()
	_ = c.signal(syscall.SIGKILL)
	close(c.ended)
}

// cause is how the child ended, for one that should not have.
func (c *child) cause() error {
	if c.err == nil {
		return errors.New("exit status 0")
	}
	return c.err
}

func (c *child) pid() int { return c.cmd.Process.Pid }

// signal reaches the whole group, whose id is the child's own.
func (c *child) signal(s syscall.Signal) error {
	err := syscall.Kill(-c.pid(), s)
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}

// awaitReady returns nil when the child is ready, and an error when it ends first or ctx does.
func (c *child) awaitReady(ctx context.Context, cfg Config) error {
	if cfg.ReadyLine != "" {
		select {
		case <-c.said:
		case <-c.ended:
			return c.cause()
		case <-ctx.Done():
			return fmt.Errorf("not ready: %w", ctx.Err())
		}
	}
	for cfg.Ready != nil {
		call, cancel := context.WithTimeout(ctx, readyCall)
		err := cfg.Ready(call)
		cancel()
		if err == nil {
			break
		}
		select {
		case <-c.ended:
			return c.cause()
		case <-ctx.Done():
			return fmt.Errorf("not ready: %w", err)
		case <-time.After(readyPause):
		}
	}
	if closed(c.ended) { // what answered was another process
		return c.cause()
	}
	return nil
}
