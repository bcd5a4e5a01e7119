// Package process keeps one child process running: started in a process group of its own, restarted when it
// dies, stopped in order, and never left behind. On Linux the kernel ends the child when its supervisor dies,
// even by SIGKILL; elsewhere Config.Lifeline does the same for a child that watches its standard input.
package process

import (
	"context"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"
)

// Process is a supervised child. Its methods may be called from any goroutine.
type Process struct {
	cfg      Config
	stopping chan struct{} // closed by Stop: no child is started any more
	done     chan struct{} // closed when the last child is gone for good
	stopOnce sync.Once

	mu       sync.Mutex
	child    *child // nil between two lives
	restarts int
}

// Start runs the child and returns once it is ready. From then on it is restarted, after a pause of 0.2 s to
// 5 s, whenever it ends, until Stop. ctx and Config.StartTimeout bound the first start alone; a first child
// that ends or is not ready in time is an error that carries the last lines of its log.
func Start(ctx context.Context, cfg Config) (*Process, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	p := &Process{cfg: cfg, stopping: make(chan struct{}), done: make(chan struct{})}
	c, err := p.launch(ctx)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w%s", cfg.Name, err, tail(cfg.LogFile))
	}
	go p.supervise(c)
	return p, nil
}

// PID is the child's process id, 0 while there is none.
func (p *Process) PID() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.child == nil {
		return 0
	}
	return p.child.pid()
}

// Restarts counts how often a child that ended unasked has been replaced by one that became ready.
func (p *Process) Restarts() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.restarts
}

// Done is closed when the process has been stopped and nothing of it runs any more.
func (p *Process) Done() <-chan struct{} { return p.done }

// Kill ends the child's whole group by SIGKILL, as a crash would; the supervisor then starts another. It fails
// with os.ErrProcessDone when there is no child at the moment.
func (p *Process) Kill() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.child == nil {
		return os.ErrProcessDone
	}
	return p.child.signal(syscall.SIGKILL)
}

// Stop asks the group to end, waits for Config.StopTimeout or until ctx ends, then kills it. It returns when
// the child is gone; an error says that it had to be killed. It may be called again.
func (p *Process) Stop(ctx context.Context) error {
	p.stopOnce.Do(func() { close(p.stopping) })
	if closed(p.done) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, p.cfg.StopTimeout)
	defer cancel()
	p.signal(p.cfg.StopSignal)
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
	}
	p.signal(p.cfg.KillSignal)
	select {
	case <-p.done:
	case <-time.After(killWait):
		p.signal(syscall.SIGKILL)
		<-p.done
	}
	return fmt.Errorf("stop %s: it did not end in time and was killed", p.cfg.Name)
}

func (p *Process) signal(s syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.child != nil {
		_ = p.child.signal(s) // it may have ended by itself in the meantime
	}
}

func (p *Process) set(c *child) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.child = c
}

func (p *Process) isStopping() bool { return closed(p.stopping) }

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
