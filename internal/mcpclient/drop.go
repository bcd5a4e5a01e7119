package mcpclient

// Drop ends the key's session at once, whatever is under way on it, and returns when its child is dead:
// what the child had not done by now it will not do. Calls that were under way fail as MaybeRun.
func (p *Pool) Drop(key Key) {
	p.mu.Lock()
	sl := p.slots[key]
	if sl == nil || sl.session == nil {
		p.mu.Unlock()
		return
	}
	s := sl.session
	p.retireLocked(s)
	p.mu.Unlock()
	if s.stdio != nil {
		s.stdio.proc.kill()
		<-s.stdio.proc.exited
	}
}
