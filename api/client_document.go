package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/oauth"
)

// clientDocument is oauth.Document, explained.
type clientDocument struct {
	ClientID     string   `json:"client_id" format:"uri" doc:"The URL of this document." example:"https://steward.example.com/.well-known/oauth-client.json"`
	ClientName   string   `json:"client_name" doc:"For people." example:"Steward"`
	ClientURI    string   `json:"client_uri" format:"uri" doc:"Where this service is." example:"https://steward.example.com"`
	RedirectURIs []string `json:"redirect_uris" doc:"Where codes may be sent." example:"[\"https://steward.example.com/auth/mcp/callback\"]"`
	GrantTypes   []string `json:"grant_types" doc:"What is asked for at the token endpoint." example:"[\"authorization_code\",\"refresh_token\"]"`
	Responses    []string `json:"response_types" doc:"What is asked for at the authorization endpoint." example:"[\"code\"]"`
	Method       string   `json:"token_endpoint_auth_method" doc:"How this service proves who it is: by PKCE alone." example:"none"`
	Kind         string   `json:"application_type" doc:"web, or native on a machine of its own." example:"web"`
}

type clientDocumentOutput struct {
	CacheControl string `header:"Cache-Control" doc:"Authorization servers may keep it." example:"public, max-age=3600"`
	Body         clientDocument
}

func (h *serverConsent) registerDocument(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "getClientDocument", Method: http.MethodGet, Path: oauth.DocumentPath, Tags: []string{"servers"},
			Summary: "What this service is as an OAuth client",
			Description: "The client ID metadata document (draft-ietf-oauth-client-id-metadata-document): where this service is reached over https, its URL is our " +
				"client id at authorization servers of MCP servers that read such documents.",
		},
		access: access{open: true},
		answers: clientDocument{
			ClientID: "https://steward.example.com" + oauth.DocumentPath, ClientName: "Steward", ClientURI: "https://steward.example.com",
			RedirectURIs: []string{"https://steward.example.com/auth/mcp/callback"}, GrantTypes: []string{"authorization_code", "refresh_token"},
			Responses: []string{"code"}, Method: "none", Kind: "web",
		},
	}, h.document)
}

func (h *serverConsent) document(context.Context, *struct{}) (*clientDocumentOutput, error) {
	return &clientDocumentOutput{CacheControl: "public, max-age=3600", Body: clientDocument(h.consent.Document())}, nil
}
