package tool

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"steward/internal/automation"
)

// Values of tool_calls.executed_by and .evidence.
const (
	byProvider = "provider" // the model's provider made the call
	reported   = "reported" // we have the provider's word for it, and saw nothing ourselves
)

// Offer is what the model's provider is told of one server in hosted mode.
type Offer struct {
	Server  int64
	Name    string   // the server's, for people
	Label   string   // the server's, to the provider: stable for a run, one of its own
	Allowed []string // tools of the catalogue; the provider offers no others
	Freely  []string // of those, what it may call without asking
}

// Offers lists the servers of a catalogue for the model's provider. It calls out of our reach: no argument can be
// guarded there. So only what a trusted server calls read-only is free, whatever the run's approval says, and
// under "always" not even that. A tool in whose description something is hidden is not offered at all: the
// provider would show it to the model as it is.
func (c Catalogue) Offers(approval string) []Offer {
	var offers []Offer
	for id, label := range c.labels() {
		o := Offer{Server: id, Label: label}
		for _, t := range c.Tools {
			if t.Server != id || t.Flagged != "" {
				continue
			}
			o.Name = t.ServerName
			o.Allowed = append(o.Allowed, t.Name)
			if t.free(approval) {
				o.Freely = append(o.Freely, t.Name)
			}
		}
		if len(o.Allowed) == 0 {
			continue
		}
		slices.Sort(o.Allowed)
		slices.Sort(o.Freely)
		offers = append(offers, o)
	}
	slices.SortFunc(offers, func(a, b Offer) int { return cmp.Compare(a.Server, b.Server) })
	return offers
}

// free says that the provider may call the tool without asking.
func (t Tool) free(approval string) bool {
	return t.Class == automation.Read && approval != ApproveAlways
}

// labels names the catalogue's servers to the provider, by id: letters, digits, _ and -, a letter first. They
// follow from the catalogue, which never changes, so they are the same in every request of a run.
func (c Catalogue) labels() map[int64]string {
	names := map[int64]string{}
	for _, t := range c.Tools {
		if t.Connection == "" {
			names[t.Server] = t.ServerName
		}
	}
	ids := make([]int64, 0, len(names))
	for id := range names {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	labels, taken := make(map[int64]string, len(ids)), map[string]bool{}
	for _, id := range ids {
		label := plainLabel(names[id])
		for taken[label] { // an admin's server and one's own may have the same name
			label += "_" + strconv.FormatInt(id, 10)
		}
		taken[label], labels[id] = true, label
	}
	return labels
}

// maxLabel keeps labels short; the rest of a longer name says little.
const maxLabel = 40

func plainLabel(name string) string {
	label := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '_'
	}, name)
	if label == "" || label[0] < 'a' || label[0] > 'z' {
		label = "s" + label
	}
	return cut(label, maxLabel)
}

// hosted finds the tool that was offered to the provider as name on the server that it knows as label.
func (c Catalogue) hosted(label, name string) (Tool, bool) {
	labels := c.labels()
	for _, t := range c.Tools {
		if t.Connection == "" && t.Flagged == "" && t.Name == name && labels[t.Server] == label {
			return t, true
		}
	}
	return Tool{}, false
}
