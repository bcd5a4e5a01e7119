package api

import (
	"slices"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/fault"
	"steward/internal/oauth"
)

// links makes the one-time links with which a browser consents for a user.
type links struct {
	consent     *oauth.Service
	connections *connector.Connections
}

// connect asks for what a connector's tools need.
func (l links) connect(owner string, k *connector.Connector, redirect string) (string, error) {
	return l.consent.Link(owner, k.Provider, k.Name, wanted(k), redirect)
}

// again asks for what a parked run lacks; "" if nobody can be asked any more, the provider's client id being gone.
func (l links) again(owner string, w automation.Waiting) (string, error) {
	scopes := w.Scopes
	k, known := l.connections.Find(w.Connector)
	switch {
	case oauth.IsServer(w.Provider): // which says all that a call needs
	case len(scopes) > 0:
		scopes = scopes[:1]
	case known:
		scopes = wanted(k)
	}
	link, err := l.consent.Link(owner, w.Provider, w.Connector, scopes, "")
	if fault.CodeOf(err) == oauth.CodeNotConfigured {
		return "", nil
	}
	return link, err
}

// all is what the tools of every connector of a provider need.
func (l links) all(provider string) []string {
	var scopes []string
	for _, k := range l.connections.Kinds() {
		if k.Provider == provider {
			scopes = append(scopes, wanted(k)...)
		}
	}
	slices.Sort(scopes)
	return slices.Compact(scopes)
}

// wanted is the least that every tool of a connector needs: of the scopes that each would do with, the first.
func wanted(k *connector.Connector) []string {
	var scopes []string
	for _, t := range k.Tools {
		if len(t.Scopes) > 0 && !slices.Contains(scopes, t.Scopes[0]) {
			scopes = append(scopes, t.Scopes[0])
		}
	}
	return scopes
}
