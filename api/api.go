// Package api is the HTTP edge: one file per resource, one place where errors become answers
// (problem.go), one where callers become principals (principal.go). Reads go to the store; whatever
// changes something goes to a service.
package api

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"go.temporal.io/sdk/converter"

	"steward/api/mcp"
	"steward/internal/auth"
	"steward/internal/connector"
	"steward/internal/install"
	"steward/internal/oauth"
	"steward/internal/registry"
	"steward/internal/run"
	"steward/internal/secret"
	"steward/internal/store"
	"steward/internal/tool"
	"steward/internal/vault"
)

// Deps is what the edge stands on. All fields are required but where it says so.
type Deps struct {
	DB            *store.DB
	Runs          *run.Service
	Authenticator *auth.Authenticator
	Tokens        *auth.Tokens           // publishes its keys
	Tickets       *auth.Tokens           // same issuer, audience "<public URL>/codec"
	Ring          *secret.Ring           // opens what runs hold sealed
	Codec         converter.PayloadCodec // Temporal's payloads
	Consent       *oauth.Service         // at providers such as Google
	Connections   *connector.Connections // what can be connected, and what users have connected
	Executor      *tool.Executor         // of calls outside runs
	Registry      *registry.Registry     // of MCP servers
	Install       Install                // of packages
	Packages      *install.Service       // what is installed
	Vault         *vault.Vault           // what users store for them
	MCP           *mcp.Server            // served at /mcp; nil: our own
	Feed          Feed
	Probes        []Probe
	Log           *slog.Logger

	PublicURL  string   // how browsers and clients reach us
	Hosts      []string // further names we answer for; may be empty
	TemporalUI string   // address of the Temporal Web UI; empty: no links, no foreign origin
	Namespace  string   // Temporal's
	MaxBody    int64    // bytes
	Rates      Rates
	Closing    <-chan struct{} // closed at shutdown: event streams end
}

// Feed wakes whoever waits for events of an audit chain. A wake-up may be late, never lost for good: a
// reader looks again at every heartbeat. Progress is what was told of the chain since its last event.
type Feed interface {
	Subscribe(chain string) (wake <-chan struct{}, cancel func())
	Progress(chain string) (json.RawMessage, bool)
}

// New builds the whole edge: middleware outside in, then every resource.
func New(d Deps) (http.Handler, error) {
	public, err := url.Parse(d.PublicURL)
	if err != nil || public.Host == "" {
		return nil, errors.New("api: the public URL is not an absolute URL")
	}
	if err := d.check(); err != nil {
		return nil, err
	}
	router := chi.NewMux()
	router.Use(
		trace(d.Log),
		rescue(d.Log),
		secure,
		allowHosts(append([]string{strings.ToLower(public.Hostname())}, d.Hosts...)),
		codecCORS(d.TemporalUI),
		sameOrigin,
		limitBody(d.MaxBody),
		jsonOnly,
		scopedNames,
		middleware.GetHead, // RFC 9110 §9.3.2
	)
	router.NotFound(unknownPath)
	router.MethodNotAllowed(unknownMethod(router))

	api := newHuma(router)
	resources := build(d, public)
	speaker, err := resources.speaker(d)
	if err != nil {
		return nil, err
	}
	mountMCP(router, speaker)
	api.UseMiddleware(resources.gate.pass(api))
	resources.register(api)
	if err := docsPage(router); err != nil {
		return nil, err
	}
	return router, nil
}

func (d *Deps) check() error {
	switch {
	case d.DB == nil, d.Runs == nil, d.Authenticator == nil, d.Tokens == nil, d.Tickets == nil, d.Ring == nil, d.Codec == nil,
		d.Consent == nil, d.Connections == nil, d.Executor == nil, d.Registry == nil, d.Packages == nil, d.Vault == nil, d.Feed == nil, d.Log == nil, d.Closing == nil, len(d.Probes) == 0, d.Namespace == "":
		return errors.New("api: a dependency is missing")
	case d.MaxBody <= 0 || d.Rates.Create <= 0 || d.Rates.Read <= 0 || d.Rates.APIKey <= 0 || d.Rates.MCP <= 0 || d.Rates.Calls <= 0 || d.Rates.Login <= 0 || d.Rates.Streams <= 0:
		return errors.New("api: limits must be positive")
	}
	return nil
}

// resources lists everything that is served. The zero value registers the same operations, with nothing
// behind them: that is how the OpenAPI document is made without a database.
type resources struct {
	health        health
	document      document
	identity      identity
	google        google
	slack         slack
	integrations  integrations
	runs          runs
	servers       servers
	packages      packages
	tools         tools
	databases     databases
	actions       actions
	serverConsent serverConsent
	secrets       secrets
	codec         codec
	door          codecDoor
	gate          gate
}

func build(d Deps, public *url.URL) *resources {
	base := strings.TrimSuffix(d.PublicURL, "/")
	secure := public.Scheme == "https"
	door := codecDoor{db: d.DB, tickets: d.Tickets, ring: d.Ring, ui: d.TemporalUI, secure: secure}
	known := servers{db: d.DB, registry: d.Registry, install: d.Install, public: public.Hostname()}
	made := links{consent: d.Consent, connections: d.Connections}
	return &resources{
		health:       health{probes: d.Probes},
		identity:     identity{authenticator: d.Authenticator, tokens: d.Tokens, publicURL: base},
		google:       google{consent: d.Consent, links: made, tokens: d.Tokens, cookies: flowCookies{secure: secure, path: "/auth/google"}},
		slack:        slack{consent: d.Consent, cookies: flowCookies{secure: secure, path: "/auth/slack"}},
		integrations: integrations{consent: d.Consent, connections: d.Connections, links: made},
		runs: runs{
			db: d.DB, service: d.Runs, ring: d.Ring, feed: d.Feed, links: made, streams: newStreams(d.Rates.Streams),
			temporal: temporalUI{address: d.TemporalUI, namespace: d.Namespace}, closing: d.Closing, beat: heartbeatTime,
		},
		servers:   known,
		packages:  packages{db: d.DB, service: d.Packages, servers: &known},
		tools:     tools{executor: d.Executor, servers: d.Registry, links: made},
		databases: databases{connections: d.Connections},
		actions:   actions{executor: d.Executor, connections: d.Connections, servers: d.Registry, links: made},
		serverConsent: serverConsent{
			consent: d.Consent, servers: d.Registry, links: made, cookies: flowCookies{secure: secure, path: "/auth/mcp"}, log: d.Log,
		},
		secrets: secrets{vault: d.Vault, servers: d.Registry},
		codec:   codec{db: d.DB, payloads: d.Codec},
		door:    door,
		gate:    gate{authenticator: d.Authenticator, door: &door, limits: newLimiter(d.Rates), metadata: base + metadataPath},
	}
}

// speaker serves the MCP server to whom the gate lets in.
func (r *resources) speaker(d Deps) (http.Handler, error) {
	server := d.MCP
	if server == nil {
		var err error
		server, err = mcp.New(mcp.Deps{
			DB: d.DB, Runs: d.Runs, Reader: mcpReader{&r.runs}, Executor: d.Executor, Registry: d.Registry, Log: d.Log,
		})
		if err != nil {
			return nil, err
		}
	}
	edge := &mcpEdge{gate: &r.gate, streams: r.runs.streams, metadata: r.identity.publicURL + mcpMetadataPath}
	return mcp.NewHandler(server, edge, d.Closing)
}

// register is the list: a new resource is one line here.
func (r *resources) register(api huma.API) {
	r.health.register(api)
	r.document.register(api)
	r.identity.register(api)
	r.google.register(api)
	r.slack.register(api)
	r.integrations.register(api)
	r.runs.register(api)
	r.servers.register(api)
	r.packages.register(api)
	r.tools.register(api)
	r.databases.register(api)
	r.actions.register(api)
	r.serverConsent.register(api)
	r.secrets.register(api)
	r.codec.register(api)
	r.door.register(api)
}
