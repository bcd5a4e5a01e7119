package llm

import (
	"context"
	"sync"
)

// identity is who the endpoint is. It is settled by the settings, by the address, or by one answer of the
// endpoint, which is remembered.
type identity struct {
	corrections []string

	mu      sync.Mutex
	settled bool
	profile profile
}

// configure takes over what settings and address say.
func (i *identity) configure(cfg Config) error {
	i.corrections = cfg.Features
	name := cfg.Provider
	if name == "" || name == auto {
		name = byHost(cfg.BaseURL)
	}
	i.settled = name != ""
	if !i.settled {
		name = compatible
	}
	return i.take(name)
}

// take makes the profile of that name, corrected, the one in force.
func (i *identity) take(name string) error {
	p, known := profileOf(name)
	if !known {
		return setting("STEWARD_MODEL_PROVIDER: %q is no provider known here", name)
	}
	if err := p.correct(i.corrections); err != nil {
		return err
	}
	i.profile = p
	return nil
}

// Features says what the endpoint can do: what its profile says, corrected by the settings. Where neither
// settings nor address name the profile, the endpoint is asked; until it answers it is "compatible".
func (c *Client) Features(ctx context.Context) Features { return c.identify(ctx).Features }

// Assume is what settings and address say that an endpoint can do. Nobody is asked, and of cfg neither key, prices
// nor HTTP client is needed.
func Assume(cfg Config) (Features, error) {
	if err := cfg.check(); err != nil {
		return Features{}, err
	}
	var i identity
	err := i.configure(cfg)
	return i.profile.Features, err
}

// Provider is the name of the profile, to be shown wherever an answer is. Before the endpoint has said who
// it is, that is "compatible".
func (c *Client) Provider() string { return c.current().name }

// current is the profile in force, without a question.
func (c *Client) current() profile {
	c.id.mu.Lock()
	defer c.id.mu.Unlock()
	return c.id.profile
}

// identify returns the profile in force. Callers wait for each other, so that one question is asked; without
// an answer the next caller asks again.
func (c *Client) identify(ctx context.Context) profile {
	c.id.mu.Lock()
	defer c.id.mu.Unlock()
	if !c.id.settled {
		if name, answered := c.probe(ctx); answered {
			c.id.settled = c.id.take(name) == nil
		}
	}
	return c.id.profile
}
