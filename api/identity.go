package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"steward/api/mcp"
	"steward/internal/auth"
)

// identity tells callers who they are, and others how that is checked.
type identity struct {
	authenticator *auth.Authenticator
	tokens        *auth.Tokens
	publicURL     string
}

// Where the protected resource metadata stand: of this service, and of its MCP server alone (RFC 9728 §3.1).
const (
	metadataPath    = "/.well-known/oauth-protected-resource"
	mcpMetadataPath = metadataPath + mcp.Path
)

type meBody struct {
	UserID    string       `json:"user_id" doc:"Whose objects the caller works with." example:"alice"`
	Actor     string       `json:"actor" doc:"Who acts: the user, or an API key for the user." example:"alice"`
	Role      auth.Role    `json:"role" enum:"user,operator,admin,auditor,service" doc:"What the caller is." example:"user"`
	Scopes    []auth.Scope `json:"scopes" doc:"What the caller may do."`
	Kind      auth.Kind    `json:"kind" enum:"jwt,apikey,session" doc:"How the caller signed in." example:"jwt"`
	ExpiresAt time.Time    `json:"expires_at" doc:"When the credential ends." example:"2026-11-20T09:45:00Z"`
}

type meOutput struct{ Body meBody }

type logoutBody struct {
	Success bool `json:"success" doc:"Always true." example:"true"`
}

type logoutOutput struct {
	ClearSiteData string `header:"Clear-Site-Data" doc:"Tells a browser to forget what it kept of this site." example:"\"cookies\", \"storage\""`
	Body          logoutBody
}

type keysOutput struct {
	CacheControl string `header:"Cache-Control" doc:"Keys may be kept for five minutes." example:"public, max-age=300"`
	Body         auth.JWKS
}

// resourceBody is RFC 9728 §2.
type resourceBody struct {
	Resource      string       `json:"resource" format:"uri" doc:"This service." example:"http://127.0.0.1:8000"`
	Name          string       `json:"resource_name" doc:"Its name." example:"Steward"`
	Documentation string       `json:"resource_documentation" format:"uri" doc:"Its reference page." example:"http://127.0.0.1:8000/docs"`
	Methods       []string     `json:"bearer_methods_supported" doc:"Tokens are read from the Authorization header alone."`
	Scopes        []auth.Scope `json:"scopes_supported" doc:"Every scope that a user's token can have."`
}

type resourceOutput struct{ Body resourceBody }

func (h *identity) register(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "getMe", Method: http.MethodGet, Path: "/auth/me", Tags: []string{"identity"},
			Summary: "Who am I", Description: "What the credential of this request says and allows.",
		},
		answers: meBody{
			UserID: "alice", Actor: "alice", Role: auth.User, Kind: auth.JWT, ExpiresAt: exampleTime,
			Scopes: []auth.Scope{auth.RunsRead, auth.RunsExecute, auth.RunsApprove},
		},
	}, h.me)
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "logout", Method: http.MethodPost, Path: "/auth/logout", Tags: []string{"identity"},
			Summary:     "End this token",
			Description: "The token of this request is refused from now on, here at once and by other processes within seconds. API keys cannot log out.",
		},
		answers: logoutBody{Success: true},
	}, h.logout)
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "getKeys", Method: http.MethodGet, Path: "/.well-known/jwks.json", Tags: []string{"identity"},
			Summary: "Public keys of our tokens", Description: "A JSON Web Key Set (RFC 7517); empty when tokens are signed with a shared secret.",
		},
		access:  access{open: true},
		answers: auth.JWKS{Keys: []auth.JWK{{Kty: "OKP", Crv: "Ed25519", Kid: "9f86d081", Alg: "EdDSA", Use: "sig", X: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}}},
	}, h.keys)
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "getProtectedResource", Method: http.MethodGet, Path: metadataPath, Tags: []string{"identity"},
			Summary: "How to call this service", Description: "OAuth 2.0 protected resource metadata (RFC 9728); 401 answers point here.",
		},
		access: access{open: true},
		answers: resourceBody{
			Resource: "http://127.0.0.1:8000", Name: "Steward", Documentation: "http://127.0.0.1:8000/docs",
			Methods: []string{"header"}, Scopes: auth.User.Scopes(),
		},
	}, h.resource)
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "getProtectedResourceMCP", Method: http.MethodGet, Path: mcpMetadataPath, Tags: []string{"identity"},
			Summary: "How to call our MCP server", Description: "OAuth 2.0 protected resource metadata (RFC 9728) of `/mcp`; its 401 and 403 answers point here. API keys " +
				"are taken there too, and name their user in the query alone: `/mcp?user_id=alice`.",
		},
		access: access{open: true},
		answers: resourceBody{
			Resource: "http://127.0.0.1:8000/mcp", Name: "Steward", Documentation: "http://127.0.0.1:8000/docs",
			Methods: []string{"header"}, Scopes: auth.User.Scopes(),
		},
	}, h.resourceMCP)
}

func (h *identity) me(ctx context.Context, _ *Caller) (*meOutput, error) {
	p, err := principal(ctx)
	if err != nil {
		return nil, err
	}
	return &meOutput{Body: meBody{
		UserID: p.Owner, Actor: p.Actor, Role: p.Role, Scopes: p.Scopes, Kind: p.Kind, ExpiresAt: p.Expires,
	}}, nil
}

func (h *identity) logout(ctx context.Context, _ *struct{}) (*logoutOutput, error) {
	p, err := principal(ctx)
	if err != nil {
		return nil, err
	}
	if err := h.authenticator.Logout(ctx, p); err != nil {
		return nil, err
	}
	return &logoutOutput{ClearSiteData: `"cookies", "storage"`, Body: logoutBody{Success: true}}, nil
}

func (h *identity) keys(context.Context, *struct{}) (*keysOutput, error) {
	return &keysOutput{CacheControl: "public, max-age=300", Body: h.tokens.JWKS()}, nil
}

func (h *identity) resource(context.Context, *struct{}) (*resourceOutput, error) {
	return &resourceOutput{Body: h.metadata("")}, nil
}

func (h *identity) resourceMCP(context.Context, *struct{}) (*resourceOutput, error) {
	return &resourceOutput{Body: h.metadata(mcp.Path)}, nil
}

func (h *identity) metadata(path string) resourceBody {
	return resourceBody{
		Resource: h.publicURL + path, Name: "Steward", Documentation: h.publicURL + "/docs", Methods: []string{"header"}, Scopes: auth.User.Scopes(),
	}
}
