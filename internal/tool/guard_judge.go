package tool

import (
	"fmt"
	"slices"
	"strings"

	"steward/internal/automation"
	"steward/internal/tool/addressee"
)

// judge says whether a person is asked about a call.
func (g *guard) judge(t Tool, arguments []byte) *ruling {
	r := &ruling{}
	if t.Flagged != "" {
		r.Flagged = t.Flagged
		r.tell(RuleFlagged, t.Flagged)
	}
	if g.tainted {
		r.Tainted = g.sources
	}
	r.byMode(g.mode, t.Class)
	found := addressee.InArguments(arguments, t.Addressees)
	if t.Class == automation.Read {
		g.judgeRead(r, t, found)
	} else {
		g.judgeEffect(r, found)
	}
	return r
}

// judgeEffect asks about addressees whom nobody has named, and about everything under taint but what goes to
// people whom the owner named before the model saw a stranger's word: that consent is the person's part.
func (g *guard) judgeEffect(r *ruling, found []addressee.Addressee) {
	g.addressees(r, found)
	switch unknown := r.unknown(); {
	case unknown > 0:
		r.ask(RuleAddressee, "it would reach "+r.strangers()+", not named in the instructions")
		if g.tainted {
			r.ask(RuleTainted, taintText(g.sources))
		}
	case g.tainted && (len(found) == 0 || g.mode != ApproveNever):
		r.ask(RuleTainted, taintText(g.sources))
	case g.tainted:
		r.tell(RuleConsented, "the owner's instructions or the operator's settings name everybody whom it reaches")
	case !r.waits():
		r.tell(RuleWaived, "the owner waived approval for this run")
	}
}

// judgeRead asks before private data could leave in an address that is fetched.
func (g *guard) judgeRead(r *ruling, t Tool, found []addressee.Addressee) {
	found = slices.DeleteFunc(found, func(a addressee.Addressee) bool { return a.Kind != addressee.Host || a.InProse })
	if g.tainted && t.fetches() {
		g.addressees(r, found)
		if r.unknown() > 0 {
			r.ask(RuleFetch, "it would fetch from "+r.strangers()+", not named in the instructions; "+taintText(g.sources))
		}
	}
	if !r.waits() {
		r.tell(RuleReadOnly, "the tool only reads")
	}
}

// fetches says that a read may go anywhere: our connectors read from their provider alone.
func (t Tool) fetches() bool { return t.Connection == "" && t.Untrusted }

func taintText(sources []string) string {
	const most = 3
	shown := strings.Join(sources[:min(most, len(sources))], ", ")
	if len(sources) > most {
		shown += " and others"
	}
	return "by now the model has read private data and what strangers may have written: " + Clean(shown, 300)
}

// maxReceiver is how much of an addressee is shown, in bytes.
const maxReceiver = 320

// addressees records whom a call reaches, and notes what the model made up in the address of a known host.
func (g *guard) addressees(r *ruling, found []addressee.Addressee) {
	made := false
	for _, a := range found {
		known := g.known.Has(a)
		r.Addressees = append(r.Addressees, Receiver{Value: Clean(a.Value, maxReceiver), Known: known, Where: Clean(a.Where, 200)})
		made = made || known && a.URL != "" && !g.known.Names(a.URL)
	}
	if made {
		r.tell(RuleURL, "the model made up the path or query of an address whose host is known")
	}
}

// strangers names the first of the unknown addressees.
func (r *ruling) strangers() string {
	const most = 3
	var names []string
	for _, a := range r.Addressees {
		if !a.Known && len(names) < most {
			names = append(names, a.Value)
		}
	}
	if more := r.unknown() - len(names); more > 0 {
		names = append(names, fmt.Sprintf("%d others", more))
	}
	return strings.Join(names, ", ")
}
