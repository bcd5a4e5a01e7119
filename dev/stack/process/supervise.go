package process

import (
	"context"
	"syscall"
	"time"
)

// supervise replaces each child that ends until Stop.
func (p *Process) supervise(c *child) {
	defer close(p.done)
	pause := firstPause
	for c != nil {
		if p.isStopping() { // Stop came before this child was known
			_ = c.signal(p.cfg.StopSignal)
		}
		born := time.Now()
		<-c.ended
		p.set(nil)
		if p.isStopping() {
			return
		}
		p.cfg.Log.Warn("process ended unasked", "process", p.cfg.Name, "pid", c.pid(), "err", c.cause())
		if time.Since(born) > steadyAfter {
			pause = firstPause
		}
		c = p.relaunch(&pause)
	}
}

// relaunch tries until a child is ready; nil means that the process was stopped meanwhile.
func (p *Process) relaunch(pause *time.Duration) *child {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-p.stopping:
			cancel()
		case <-ctx.Done():
		}
	}()
	for {
		select {
		case <-p.stopping:
			return nil
		case <-time.After(*pause):
		}
		*pause = min(*pause*2, longestWait)
		c, err := p.launch(ctx)
		if err == nil {
			p.mu.Lock()
			p.restarts++
			p.mu.Unlock()
			p.cfg.Log.Info("process restarted", "process", p.cfg.Name, "pid", c.pid())
			return c
		}
		if !p.isStopping() {
			p.cfg.Log.Warn("process could not be restarted", "process", p.cfg.Name, "err", err)
		}
	}
}

// launch starts one child and waits until it is ready. A child that does not get there is ended first.
func (p *Process) launch(ctx context.Context) (*child, error) {
	ctx, cancel := context.WithTimeout(ctx, p.cfg.StartTimeout)
	defer cancel()
	c, err := spawn(p.cfg)
	if err != nil {
		return nil, err
	}
	p.set(c)
	if err = c.awaitReady(ctx, p.cfg); err == nil {
		return c, nil
	}
	_ = c.signal(syscall.SIGKILL)
	<-c.ended
	p.set(nil)
	return nil, err
}
