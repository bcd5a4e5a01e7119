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
	return l.consent.Link(owner, k.Provider, k.Name, wanted(k.Tools), redirect)
}

// again asks for what a parked run lacks; "" if nobody can be asked any more, the provider's client id being gone.
func (l links) again(owner string, w automation.Waiting) (string, error) {
	scopes := w.Scopes
	k, known := l.connections.Find(w.Connector)
	switch {
	case oauth.IsServer(w.Provider): // which says all that a call needs
	case len(scopes) > 0:
		scopes = scopes[:1]
	case known && k.Provider == w.Provider:
		scopes = wanted(k.Tools)
	default:
		scopes = l.everything(w.Provider)
	}
	link, err := l.consent.Link(owner, w.Provider, w.Connector, scopes, "")
	if fault.CodeOf(err) == oauth.CodeNotConfigured {
		return "", nil
	}
	return link, err
}

// everything is what the tools of all connectors of a provider need: a registered server may bring the user's token to
// any of the provider's APIs, and does not say to which.
func (l links) everything(provider string) []string {
	var tools []connector.Tool
	for _, k := range l.connections.Kinds() {
		if k.Provider == provider {
			tools = append(tools, k.Tools...)
		}
	}
	return wanted(tools)
}

// atSignIn is what somebody who signs in connects on the way: the mailbox, as seed 000 has it. The other accounts at the
// same provider are asked for when somebody connects them.
func (l links) atSignIn() []string {
	k, ok := l.connections.Find("gmail")
	if !ok {
		return nil
	}
	return wanted(k.Tools)
}

// wanted is the least that each of the tools needs, but for those that ask by themselves: of the scopes that each would do
// with, the first.
func wanted(tools []connector.Tool) []string {
	scopes := []string{}
	for _, t := range tools {
		if !t.StepUp && len(t.Scopes) > 0 && !slices.Contains(scopes, t.Scopes[0]) {
			scopes = append(scopes, t.Scopes[0])
		}
	}
	return scopes
}
