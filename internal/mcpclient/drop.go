package mcpclient

import "slices"

// Drop ends the key's sessions at once, whatever is under way on them, and returns when their children are
// dead: what a child had not done by now it will not do. That includes children that were retired before
// and are still leaving. Calls that were under way fail as MaybeRun.
func (p *Pool) Drop(key Key) {
	p.mu.Lock()
	var leaving []*session
	if sl := p.slots[key]; sl != nil {
		if sl.session != nil {
			p.retireLocked(sl.session)
		}
		leaving = slices.Clone(sl.leaving)
	}
	p.mu.Unlock()
	for _, s := range leaving {
		if s.stdio != nil {
			s.stdio.proc.kill()
			<-s.stdio.proc.exited
		}
	}
}
