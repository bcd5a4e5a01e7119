// Package addressee finds out whom a call, or a text with links, would reach: mail addresses, hosts, and the
// names in fields that say who receives something. It compares them with those that somebody has named who may
// (llm.md §5.3, argument provenance). Where a reader could understand a text in two ways, both are found.
package addressee

import "slices"

// Kind says what an addressee is.
type Kind string

// The kinds.
const (
	Mail Kind = "mail" // local@host
	Host Kind = "host" // of a URL, or standing alone
	Name Kind = "name" // the content of a field for recipients that is neither: a channel, a number, a riddle
)

// Addressee is one place where something would go.
type Addressee struct {
	Kind  Kind
	Value string // normalised: equal values are the same place, and different ones are not
	Where string // the path of the argument that holds it: "to[1]"
	// URL is the whole URL where there is more to it than its host.
	URL string
	// InProse marks a host that stands without a scheme in the middle of a text: nothing fetches it by itself.
	InProse bool
	// Unreadable marks what looks like an address and cannot be understood. It is never known.
	Unreadable bool
}

// Bounds on the work for one call. What is not looked at is not known.
const (
	mostAddressees = 200
	mostLooks      = 5000
	longestHost    = 1 << 10 // a name has at most 253 bytes
	longestLocal   = 1 << 8  // RFC 5321 §4.5.3.1.1 allows 64
	longestURL     = 8 << 10
	longestList    = 64 << 10 // of recipients in one string
)

// list collects addressees, each once.
type list struct {
	all   []Addressee
	looks int
	full  bool
}

// add says whether more are wanted.
func (l *list) add(a Addressee) bool {
	if l.full {
		return false
	}
	l.looks++
	at := slices.IndexFunc(l.all, func(b Addressee) bool {
		return a.Kind == b.Kind && a.Value == b.Value && a.Unreadable == b.Unreadable && (a.URL == b.URL || a.URL == "")
	})
	switch {
	case at < 0 && len(l.all) == mostAddressees, l.looks > mostLooks:
		l.full = true
		l.all = append(l.all, Addressee{Kind: Name, Value: "more addressees than are looked at", Where: a.Where, Unreadable: true})
	case at < 0:
		l.all = append(l.all, a)
	default:
		l.all[at].InProse = l.all[at].InProse && a.InProse
	}
	return !l.full
}
