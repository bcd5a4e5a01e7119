package mcpclient

import (
	"context"
	"errors"
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
	retired bool // before it was open
}

// errShortLived is a server that opens sessions and ends them at once.
var errShortLived = errors.New("the session ended as soon as it was open")

// acquire lends the target's session, opening it first if need be; release must follow. fresh says that it
// was opened for this request. A session that is retired before it can be lent is opened once more.
func (p *Pool) acquire(ctx context.Context, t Target) (s *session, fresh bool, err *Error) {
	failed := func(err error) *Error {
		return &Error{Server: t.Name, Ran: NotRun, Stage: StageStart, Err: err}
	}
	for range 2 {
		s, d, err := p.lend(ctx, t)
		switch {
		case err != nil:
			return nil, false, failed(err)
		case s != nil:
			return s, false, nil
		}
		select {
		case <-ctx.Done():
			return nil, false, failed(ctx.Err())
		case <-d.done:
		}
		if d.err != nil {
			return nil, false, d.err
		}
		if p.borrow(d.session) {
			return d.session, true, nil
		}
	}
	return nil, false, failed(errShortLived)
}

// lend returns the session that stands, or else the attempt to open one, which it begins if nobody has.
func (p *Pool) lend(ctx context.Context, t Target) (*session, *dialing, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.life.Err() != nil {
		return nil, nil, ErrClosed
	}
	sl := p.slots[t.Key]
	if sl == nil {
		sl = &slot{noise: &ring{}}
		p.slots[t.Key] = sl
	}
	sl.used = time.Now()
	if s := sl.session; s != nil && s.alive() {
		s.refs++
		return s, nil, nil
	}
	if sl.dialing != nil && !sl.dialing.retired {
		return nil, sl.dialing, nil
	}
	if !p.makeRoom(t.Key.Owner) {
		return nil, nil, ErrFull
	}
	d := &dialing{done: make(chan struct{})}
	sl.dialing = d
	p.opening(t.Key.Owner, 1)
	p.tasks.Go(func() { p.fill(ctx, t, sl, d) })
	return nil, d, nil
}

func (p *Pool) borrow(s *session) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.retired {
		return false
	}
	s.refs++
	return true
}

// fill opens the session of a slot. It outlives a caller who gives up: others may wait for it.
func (p *Pool) fill(ctx context.Context, t Target, sl *slot, d *dialing) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(p.life, cancel)()
	p.tell(ctx, t.Key, StateConnecting, nil)
	s, err := p.dialer.dial(ctx, t, sl.noise)
	if err != nil {
		p.tell(ctx, t.Key, StateError, err)
	} else {
		if p.opts.OnSeen != nil {
			p.opts.OnSeen(ctx, t.Key, s.info)
		}
		p.tell(ctx, t.Key, StateConnected, nil)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	defer close(d.done)
	if sl.dialing == d {
		sl.dialing = nil
	}
	if err != nil {
		p.opening(t.Key.Owner, -1)
		d.err = err
		return
	}
	s.used = time.Now()
	d.session = s
	if !d.retired {
		if old := sl.session; old != nil {
			p.retireLocked(old)
		}
		sl.session = s
		p.retireOlder(t.Key)
	}
	p.tasks.Go(func() { p.watch(s) })
	p.tasks.Go(func() { p.end(s) })
	switch {
	case d.retired:
		p.discardLocked(s)
	case p.life.Err() != nil:
		p.retireLocked(s)
	}
}

func (p *Pool) tell(ctx context.Context, key Key, state State, why error) {
	if p.opts.OnState != nil {
		p.opts.OnState(ctx, key, state, why)
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
	p.mu.Lock()
	discard := s.discard
	p.mu.Unlock()
	if s.http != nil {
		s.http.leave.Store(s.kept != 0 && !discard)
	}
	s.close()
	ctx := context.WithoutCancel(p.life)
	if s.kept != 0 {
		if discard {
			p.dialer.forget(ctx, s.key, s.kept)
		}
		p.dialer.leave(ctx, s.key, s.kept)
	}
	p.tell(ctx, s.key, StateDisconnected, nil)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.opening(s.key.Owner, -1)
	sl := p.slots[s.key]
	sl.leaving = slices.DeleteFunc(sl.leaving, func(other *session) bool { return other == s })
}

// discardLocked retires a session for good: nobody, in this process or another, goes on with it.
func (p *Pool) discardLocked(s *session) {
	s.discard = true
	p.retireLocked(s)
}

// forget takes a session that the server does not know any more out of the store.
func (p *Pool) forget(ctx context.Context, s *session) {
	if s.kept != 0 {
		p.dialer.forget(ctx, s.key, s.kept)
	}
}

// retireOlder retires the sessions with older versions of the key's credential or configuration.
func (p *Pool) retireOlder(key Key) {
	for other, sl := range p.slots {
		if sl.session != nil && other.older(key) {
			p.discardLocked(sl.session)
		}
	}
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
