package mcpclient

// Drop ends the sessions of the key's owner with its server at once, whatever is under way on them, and returns when
// their children are dead: what a child had not done by now it will not do. That includes those of other versions,
// and children that were retired before and are still leaving. Calls that were under way fail as MaybeRun.
func (p *Pool) Drop(key Key) {
	p.mu.Lock()
	var leaving []*session
	for other, sl := range p.slots {
		if other.Owner != key.Owner || other.Server != key.Server {
			continue
		}
		if sl.session != nil {
			p.retireLocked(sl.session)
		}
		leaving = append(leaving, sl.leaving...)
	}
	p.mu.Unlock()
	for _, s := range leaving {
		if s.stdio != nil {
			s.stdio.child.Kill()
			<-s.stdio.child.Exited()
		}
	}
}

// Retire lets the sessions of a server take no new requests, those of owner or, for the empty owner, of everybody,
// as far as their Key.Version is below the given one; 0 means all. They end with their last request.
func (p *Pool) Retire(owner string, server, below int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, sl := range p.slots {
		if key.Server != server || owner != "" && key.Owner != owner || below != 0 && key.Version >= below {
			continue
		}
		if sl.session != nil {
			p.discardLocked(sl.session)
		}
		if sl.dialing != nil {
			sl.dialing.retired = true
		}
	}
}

// Abandon lets a kept session take no new requests: another process has it. It goes by its number in
// Options.Sessions.
func (p *Pool) Abandon(kept int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, sl := range p.slots {
		if s := sl.session; s != nil && s.kept == kept && kept != 0 {
			p.retireLocked(s)
		}
	}
}
