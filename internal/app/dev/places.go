package dev

import (
	"context"
	"fmt"
	"net/url"
	"os"

	"steward/internal/config"
)

// places are the addresses of one life of the stack.
type places struct {
	api         string // host:port
	publicURL   string
	ui          string // host:port; empty with the caller's own Temporal
	uiURL       string
	model       string // host:port; empty with a real model
	apiDebug    string
	workerDebug string
	temporal    string // of the caller's own; empty: ours is started
}

// take finds all addresses before anything is started, so that a port in use is said at once.
func take(ctx context.Context, cfg *config.Config, o Options) (p places, err error) {
	listen := o.Listen
	if listen == "" {
		listen = cfg.HTTP.Listen
	}
	if p.api, err = loopback(ctx, "API and console", "--listen or STEWARD_LISTEN", listen); err != nil {
		return p, err
	}
	p.publicURL = "http://" + p.api
	if own := os.Getenv("STEWARD_PUBLIC_URL"); own != "" {
		p.publicURL = own
	}
	p.temporal, p.uiURL = os.Getenv("TEMPORAL_ADDRESS"), cfg.Temporal.UIURL
	if p.temporal == "" {
		if err = p.takeUI(ctx, cfg, o); err != nil {
			return p, err
		}
	}
	if cfg.Model.APIKey.IsZero() && cfg.Model.BaseURL == "" {
		if p.model, err = freeAddress(ctx); err != nil {
			return p, err
		}
	}
	if p.apiDebug = cfg.HTTP.DebugListen; p.apiDebug == "" {
		if p.apiDebug, err = freeAddress(ctx); err != nil {
			return p, err
		}
	}
	p.workerDebug, err = freeAddress(ctx)
	return p, err
}

func (p *places) takeUI(ctx context.Context, cfg *config.Config, o Options) error {
	address := o.UI
	if address == "" {
		u, err := url.Parse(cfg.Temporal.UIURL)
		if err != nil {
			return fmt.Errorf("STEWARD_TEMPORAL_UI_URL: %w", err)
		}
		address = u.Host
	}
	var err error
	if p.ui, err = loopback(ctx, "Temporal's Web UI", "--ui or STEWARD_TEMPORAL_UI_URL", address); err != nil {
		return err
	}
	p.uiURL = "http://" + p.ui
	return nil
}

// apply puts the addresses where the settings have theirs.
func (p places) apply(cfg *config.Config) {
	before := cfg.HTTP.PublicURL
	cfg.HTTP.Listen, cfg.HTTP.PublicURL, cfg.Temporal.UIURL = p.api, p.publicURL, p.uiURL
	if cfg.Auth.Issuer == before {
		cfg.Auth.Issuer = p.publicURL
	}
	if cfg.Auth.Audience == before {
		cfg.Auth.Audience = p.publicURL
	}
}
