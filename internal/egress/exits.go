package egress

// Exits are the users' ways out. It is safe for concurrent use.
type Exits struct {
	common *Exit
	own    map[string]*Exit
}

// New makes the exits that the rules want: one for everybody, and one of their own for users who may reach more. A
// connection that one of those may have carries nobody else's request.
func New(r Rules) *Exits {
	e := &Exits{common: NewExit(r.Everybody...), own: map[string]*Exit{}}
	for owner := range r.Own {
		e.own[owner] = NewExit(r.of(owner)...)
	}
	return e
}

// Of is owner's exit; "" stands for what everybody may reach.
func (e *Exits) Of(owner string) *Exit {
	if own := e.own[owner]; own != nil {
		return own
	}
	return e.common
}

// Close closes the connections that are idle.
func (e *Exits) Close() {
	e.common.closeIdle()
	for _, x := range e.own {
		x.closeIdle()
	}
}

func (x *Exit) closeIdle() {
	x.client.CloseIdleConnections()
	x.patient.CloseIdleConnections()
}
