package scenario

import (
	"slices"

	"steward/dev/offline/dialog"
)

// Play continues the dialog. Ok is false when the scenario is not for this instruction, a tool it
// needs is not offered, or a tool wants arguments that the scenario does not know.
func (s *Scenario) Play(d dialog.Dialog) (reply dialog.Reply, ok bool) {
	if !s.Match.fits(d.Instruction) {
		return dialog.Reply{}, false
	}
	p := player{scope: newScope(s, d), left: d.Calls}
	for alias := range s.Needs {
		if !p.scope.Has(alias) {
			return dialog.Reply{}, false
		}
	}
	for i := range s.Steps {
		pending, err := p.step(&s.Steps[i])
		switch {
		case err != nil, len(pending) > 0 && d.NoCalls:
			return dialog.Reply{}, false
		case len(pending) > 0:
			return d.Ask(pending...), true
		case p.stopped:
			return dialog.Say(p.scope.stopText()), true
		}
	}
	text, err := s.Final.render(p.scope)
	if err != nil {
		return dialog.Reply{}, false
	}
	reply = dialog.Say(p.scope.finalText(text))
	reply.Facts, err = p.scope.facts(s.Facts)
	return reply, err == nil
}

// player walks the steps, handing out the answered calls of the dialog to the steps that made them.
type player struct {
	scope   *scope
	left    []dialog.Call
	stopped bool // a step that is not optional failed
}

// step returns the calls that are still to be made, none when the step is over.
func (p *player) step(step *Step) (pending []dialog.Call, err error) {
	calls, err := p.scope.calls(step)
	if err != nil || len(calls) == 0 {
		return nil, err
	}
	answered := p.take(calls[0].Name, len(calls))
	if len(answered) < len(calls) {
		return calls[len(answered):], nil
	}
	if p.scope.record(step, answered) {
		return nil, nil
	}
	if step.IfError != nil {
		return p.step(step.IfError)
	}
	p.stopped = !step.Optional
	return nil, nil
}

// take hands out up to n calls of a tool, in order. Calls of other tools before them are skipped:
// they were made by another model before this one took over.
func (p *player) take(name string, n int) []dialog.Call {
	var taken []dialog.Call
	for len(taken) < n {
		i := slices.IndexFunc(p.left, func(c dialog.Call) bool { return c.Name == name })
		if i < 0 {
			return taken
		}
		taken = append(taken, p.left[i])
		p.left = p.left[i+1:]
	}
	return taken
}
