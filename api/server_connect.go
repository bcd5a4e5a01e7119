package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
	"steward/internal/fault"
	"steward/internal/oauth"
	"steward/internal/registry"
	"steward/internal/store"
)

// serverConsent is how a user comes to use a remote MCP server that wants a token: by consent at its authorization
// server, or with tokens that somebody else got.
type serverConsent struct {
	consent *oauth.Service
	servers *registry.Registry
	links   links
	cookies flowCookies
	log     *slog.Logger
}

func (h *serverConsent) register(api huma.API) {
	h.registerConnect(api)
	h.registerGive(api)
	h.registerDisconnect(api)
	h.registerLogin(api)
	h.registerCallback(api)
	h.registerDocument(api)
}

// ServerNamed is part of the input of every call about one server.
type ServerNamed struct {
	Name string `path:"name" minLength:"1" maxLength:"255" doc:"The server: its name, or its number." example:"notion"`
}

type connectServerBody struct {
	UserID      string `json:"user_id,omitempty" maxLength:"255" doc:"For callers with an API key: for whom." example:"user_123"`
	Username    string `json:"username,omitempty" maxLength:"255" doc:"The same as user_id." example:"user_123"`
	RedirectURL string `json:"redirect_url,omitempty" maxLength:"2048" doc:"Where the browser goes after consent: of this service or of an origin that the operator has registered. Without it, the callback answers itself." example:"https://app.openanalyst.com/servers"`
}

type connectServerInput struct {
	Caller
	ServerNamed

	Body *connectServerBody
}

// ServerConnection is how far connecting a server has come.
type ServerConnection struct {
	Success          bool       `json:"success" doc:"Always true." example:"true"`
	Status           string     `json:"status" enum:"connected,authorization_required" doc:"connected: the server has answered initialize and tools/list. authorization_required: the user must consent first." example:"authorization_required"`
	ToolCount        *int       `json:"tool_count,omitempty" doc:"How many tools it offers, once connected." example:"13"`
	UserID           string     `json:"user_id,omitempty" doc:"For whom, where a browser comes back from consent." example:"user_123"`
	AuthorizationURL string     `json:"authorization_url,omitempty" format:"uri" doc:"Where to send the user's browser: a link of ours that works once, leads to the server's authorization server, and binds the flow to that browser." example:"http://127.0.0.1:8000/auth/mcp/login?link=eyJpZCI6IjEifQ.c2lnbmF0dXJl"`
	ExpiresAt        *time.Time `json:"expires_at,omitempty" doc:"Until when the link works." example:"2026-11-20T09:45:00Z"`
}

type connectServerOutput struct{ Body ServerConnection }

func (h *serverConsent) registerConnect(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "connectServer", Method: http.MethodPost, Path: "/mcp/servers/{name}/connect", Tags: []string{"servers"},
			Summary: "Connect an MCP server",
			Description: "The calibration of a new server. It is asked to initialize and for its tools: if it answers, it is connected. If it wants a token, its " +
				"authorization server is found (RFC 9728, RFC 8414), this service registers itself there if it has to, and the answer says where the user " +
				"consents; the callback then exchanges the code and asks the server again before it says connected. 409 with code `client_required`: the " +
				"authorization server lets no client register itself; register one there and give its `clientId` with `POST /mcp/servers/{name}/oauth`. 403 " +
				"with code `issuer_mismatch` or `egress_denied`: what the server says about its authorization is not to be trusted.",
			Errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusBadGateway},
		},
		access: access{scope: auth.Connections},
		asks:   connectServerBody{RedirectURL: "https://app.openanalyst.com/servers"},
		answers: ServerConnection{
			Success: true, Status: statusAuthorize, AuthorizationURL: "http://127.0.0.1:8000/auth/mcp/login?link=eyJpZCI6IjEifQ.c2lnbmF0dXJl",
			ExpiresAt: after(oauth.LinkTime),
		},
	}, h.connect)
}

// The words of ServerConnection.Status.
const (
	statusConnected = "connected"
	statusAuthorize = "authorization_required"
)

func (h *serverConsent) connect(ctx context.Context, in *connectServerInput) (*connectServerOutput, error) {
	body := connectServerBody{}
	if in.Body != nil {
		body = *in.Body
	}
	p, err := principalNamed(ctx, body.UserID, body.Username)
	if err != nil {
		return nil, err
	}
	s, err := h.find(ctx, p.Owner, in.Name)
	if err != nil {
		return nil, err
	}
	count, err := h.servers.Calibrate(ctx, p.Owner, s)
	need, consent := errors.AsType[*oauth.ConsentError](err)
	switch {
	case consent && need.Provider == oauth.Server(s.ID):
		return h.authorize(ctx, p.Owner, s, need, body.RedirectURL)
	case err != nil:
		return nil, unreached(s, err)
	}
	return &connectServerOutput{Body: ServerConnection{Success: true, Status: statusConnected, ToolCount: &count}}, nil
}

// authorize answers with a link, once nothing stands in the way of the consent.
func (h *serverConsent) authorize(ctx context.Context, owner string, s *store.MCPServer, need *oauth.ConsentError, redirect string) (*connectServerOutput, error) {
	if err := h.consent.Prepare(ctx, owner, s.ID); err != nil {
		return nil, err
	}
	expires := time.Now().Add(oauth.LinkTime).UTC().Truncate(time.Second)
	link, err := h.consent.Link(owner, need.Provider, s.Name, need.Scopes, redirect)
	if err != nil {
		return nil, err
	}
	return &connectServerOutput{Body: ServerConnection{Success: true, Status: statusAuthorize, AuthorizationURL: link, ExpiresAt: &expires}}, nil
}

// find is a server that owner may call.
func (h *serverConsent) find(ctx context.Context, owner, name string) (*store.MCPServer, error) {
	s, err := h.servers.ByName(ctx, owner, name)
	if err == nil && s == nil {
		err = absentNamed.fault(name)
	}
	return s, err
}

// unreached says why a server did not answer. Faults are said as they are.
func unreached(s *store.MCPServer, err error) error {
	if fault.KindOf(err) != fault.Internal {
		return err
	}
	return fault.Wrap(err, fault.Upstream, "%s: %s", s.Name, registry.Reason(err)).WithCode("server_unreachable")
}
