package mcpclient

import (
	"context"
	"slices"
	"time"
)

// slot is one key's place in the pool: its session, if any, and the child's output over all its sessions.
// It stays while any of them does.
type slot struct {
	noise   *ring
	session *session
	leaving []*session // retired, but not yet ended
	dialing *dialing
	used    time.Time
}

// dialing is one attempt to open a session, shared by everybody who asks meanwhile.
type dialing struct {
	done    chan struct{}
	session *session
	err     *Error
}

// acquire lends the target's session, opening it first if need be; release must follow. fresh says that it
// was opened for this request.
func (p *Pool) acquire(ctx context.Context, t Target) (s *session, fresh bool, err *Error) {
	failed := func(err error) *Error {
		return &Error{Server: t.Name, Ran: NotRun, Stage: StageStart, Err: err}
	}
	p.mu.Lock()
	if p.life.Err() != nil {
		p.mu.Unlock()
		return nil, false, failed(ErrClosed)
	}
	sl := p.slots[t.Key]
	if sl == nil {
		sl = &slot{noise: &ring{}}
		p.slots[t.Key] = sl
	}
	sl.used = time.Now()
	if s := sl.session; s != nil && s.alive() {
		s.refs++
		p.mu.Unlock()
		return s, false, nil
	}
	d := sl.dialing
	if d == nil {
		if !p.makeRoom() {
			p.mu.Unlock()
			return nil, false, failed(ErrFull)
		}
		d = &dialing{done: make(chan struct{})}
		sl.dialing = d
		p.open++
		p.tasks.Go(func() { p.fill(ctx, t, sl, d) })
	}
	p.mu.Unlock()
	select {
	case <-ctx.Done():
		return nil, false, failed(ctx.Err())
	case <-d.done:
	}
	if d.err != nil {
		return nil, false, d.err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if d.session.retired {
		return nil, false, failed(ErrClosed)
	}
	d.session.refs++
	return d.session, true, nil
}

// fill opens the session of a slot. It outlives a caller who gives up: others may wait for it.
func (p *Pool) fill(ctx context.Context, t Target, sl *slot, d *dialing) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(p.life, cancel)()
	s, err := p.dialer.dial(ctx, t, sl.noise)
	if err == nil && p.opts.OnEra != nil {
		p.opts.OnEra(ctx, t.Key, s.info)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	defer close(d.done)
	sl.dialing = nil
	if err != nil {
		p.open--
		d.err = err
		return
	}
	if old := sl.session; old != nil {
		p.retireLocked(old)
	}
	s.used = time.Now()
	sl.session, d.session = s, s
	p.retireOlder(t.Key)
	p.tasks.Go(func() { p.watch(s) })
	p.tasks.Go(func() { p.end(s) })
	if p.life.Err() != nil {
		p.retireLocked(s)
	}
}

// watch retires the session when its connection ends by itself.
func (p *Pool) watch(s *session) {
	_ = s.sdk.Wait() // why it ended reaches the calls that were under way
	close(s.done)
	p.retire(s)
}

// release gives back what acquire lent.
func (p *Pool) release(s *session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s.refs--
	s.used = time.Now()
	if s.retired && s.refs == 0 {
		close(s.unused)
	}
}

// retire takes the session out of use; it ends when its last request does.
func (p *Pool) retire(s *session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.retireLocked(s)
}

func (p *Pool) retireLocked(s *session) {
	if s.retired {
		return
	}
	s.retired = true
	sl := p.slots[s.key]
	sl.leaving = append(sl.leaving, s)
	if sl.session == s {
		sl.session, sl.used = nil, time.Now()
	}
	if s.refs == 0 {
		close(s.unused)
	}
}

// end closes the session once nobody uses it any more, beside the calls: some children take their time.
func (p *Pool) end(s *session) {
	<-s.unused
	s.close()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open--
	sl := p.slots[s.key]
	sl.leaving = slices.DeleteFunc(sl.leaving, func(other *session) bool { return other == s })
}

// retireOlder retires the sessions with older versions of the key's credential or configuration.
func (p *Pool) retireOlder(key Key) {
	for other, sl := range p.slots {
		if sl.session != nil && other.older(key) {
			p.retireLocked(sl.session)
		}
	}
}

// makeRoom reports whether one more session may open, and retires the one idle longest if that helps. The
// retired one closes meanwhile, so the limit may be passed by it for a moment.
func (p *Pool) makeRoom() bool {
	if p.open < p.opts.MaxSessions {
		return true
	}
	var oldest *session
	for _, sl := range p.slots {
		if s := sl.session; s != nil && s.refs == 0 && (oldest == nil || s.used.Before(oldest.used)) {
			oldest = s
		}
	}
	if oldest == nil {
		return false
	}
	p.retireLocked(oldest)
	return true
}

// sweepRegularly closes what nobody used for IdleClose.
func (p *Pool) sweepRegularly() {
	ticker := time.NewTicker(max(p.opts.IdleClose/4, time.Millisecond))
	defer ticker.Stop()
	for {
		select {
		case <-p.life.Done():
			return
		case now := <-ticker.C:
			p.sweep(now)
		}
	}
}

func (p *Pool) sweep(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, sl := range p.slots {
		switch s := sl.session; {
		case s != nil && s.refs == 0 && now.Sub(s.used) >= p.opts.IdleClose:
			p.retireLocked(s)
		case s == nil && sl.dialing == nil && len(sl.leaving) == 0 && now.Sub(sl.used) >= p.opts.IdleClose:
			delete(p.slots, key)
		}
	}
}
