package mcpclient

// opening counts a session that opens, or one that has closed.
func (p *Pool) opening(owner string, by int) {
	p.open += by
	if p.shares[owner] += by; p.shares[owner] == 0 {
		delete(p.shares, owner)
	}
}

// makeRoom reports whether the owner may open one more session, and retires the one idle longest if that helps: of
// the owner's own when the owner has its share, else of all. The retired one closes meanwhile, so either limit may be
// passed by it for a moment; an owner whose sessions do not close gets no further.
func (p *Pool) makeRoom(owner string) bool {
	share := max(p.opts.MaxSessions/4, 1)
	switch mine := p.shares[owner]; {
	case mine >= 2*share:
		return false
	case mine >= share:
		return p.retireIdle(func(key Key) bool { return key.Owner == owner })
	case p.open < p.opts.MaxSessions:
		return true
	}
	return p.retireIdle(func(Key) bool { return true })
}

// retireIdle retires the session idle longest of those that may go, and reports whether there was one.
func (p *Pool) retireIdle(may func(Key) bool) bool {
	var oldest *session
	for key, sl := range p.slots {
		if s := sl.session; s != nil && s.refs == 0 && may(key) && (oldest == nil || s.used.Before(oldest.used)) {
			oldest = s
		}
	}
	if oldest == nil {
		return false
	}
	p.retireLocked(oldest)
	return true
}
