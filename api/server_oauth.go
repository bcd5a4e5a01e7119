package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
	"steward/internal/fault"
	"steward/internal/oauth"
	"steward/internal/secret"
)

// giveBody is seed 001's. Nothing of it is ever read back.
type giveBody struct {
	TokenType    string   `json:"tokenType,omitempty" maxLength:"32" doc:"Bearer, in any case." example:"Bearer"`
	AccessToken  string   `json:"accessToken,omitempty" writeOnly:"true" maxLength:"65536" doc:"The access token. Without it, the client alone is stored, for flows that begin here." example:"<access_token>"`
	RefreshToken string   `json:"refreshToken,omitempty" writeOnly:"true" maxLength:"65536" doc:"With it, the access token is renewed before its end and on 401." example:"<refresh_token>"`
	ExpiresIn    int64    `json:"expiresIn,omitempty" minimum:"0" maximum:"315360000" doc:"Seconds until the access token ends. Default one hour." example:"3600"`
	Scopes       []string `json:"scopes,omitempty" maxItems:"100" doc:"What was granted." example:"[\"read\",\"write\"]"`
	ClientID     string   `json:"clientId,omitempty" maxLength:"2048" doc:"The client, at the server's authorization server, to which the tokens were given. Needed to renew them." example:"<client_id>"`
	ClientSecret string   `json:"clientSecret,omitempty" writeOnly:"true" maxLength:"4096" doc:"Its secret, if it has one." example:"<client_secret>"`
	RedirectURI  string   `json:"redirectUri,omitempty" maxLength:"2048" doc:"Where that flow ended. Flows that begin here, with a client that was given here, end at /auth/mcp/callback." example:"https://missionsquad.example.com/webhooks/oauth/callback/123"`
	CodeVerifier string   `json:"codeVerifier,omitempty" writeOnly:"true" maxLength:"1024" doc:"Of that flow. It is over, so this is not kept." example:"<pkce_verifier>"`

	UserID   string `json:"user_id,omitempty" maxLength:"255" doc:"For callers with an API key: for whom." example:"user_123"`
	Username string `json:"username,omitempty" maxLength:"255" doc:"The same as user_id." example:"user_123"`
}

type giveInput struct {
	Caller
	ServerNamed

	Body giveBody
}

type doneBody struct {
	Success bool `json:"success" doc:"Always true." example:"true"`
}

type doneOutput struct{ Body doneBody }

func (h *serverConsent) registerGive(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "giveServerTokens", Method: http.MethodPost, Path: "/mcp/servers/{name}/oauth", Tags: []string{"servers"},
			Summary: "Store OAuth tokens for an MCP server",
			Description: "Tokens that somebody else got for this user, and the client to which they were given. They are sealed, sent to that server alone, and " +
				"renewed at its authorization server, to which they are bound: when the server names another one, the user consents anew. An `Authorization` " +
				"among the server's headers counts no more. Without `accessToken` the client alone is stored, for `POST …/connect`; of an admin, for everybody " +
				"who may call an admin's server.",
			Errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusBadGateway},
		},
		access: access{scope: auth.Connections},
		asks: giveBody{
			TokenType: "Bearer", AccessToken: "<access_token>", RefreshToken: "<refresh_token>", ExpiresIn: 3600, Scopes: []string{"read", "write"},
			ClientID: "<client_id>", ClientSecret: "<client_secret>",
			RedirectURI: "https://missionsquad.example.com/webhooks/oauth/callback/123", CodeVerifier: "<pkce_verifier>",
		},
		answers: doneBody{Success: true},
	}, h.give)
}

func (h *serverConsent) give(ctx context.Context, in *giveInput) (*doneOutput, error) {
	p, err := principalNamed(ctx, in.Body.UserID, in.Body.Username)
	if err != nil {
		return nil, err
	}
	s, err := h.find(ctx, p.Owner, in.Name)
	switch {
	case err != nil:
		return nil, err
	case in.Body.AccessToken == "" && in.Body.ClientID == "":
		return nil, fault.InvalidField("body.accessToken", "is required, or a clientId")
	case in.Body.ClientID == "" && in.Body.ClientSecret != "":
		return nil, fault.InvalidField("body.clientId", "is required beside its secret")
	case s.Transport == "stdio" || s.AuthProvider != "" && s.AuthProvider != oauth.Server(s.ID):
		return nil, fault.New(fault.Conflict, "%s takes no tokens of its own", s.Name)
	}
	err = h.consent.Give(ctx, oauth.Given{
		Server: s.ID, Owner: p.Owner, Actor: p.Actor, Shared: in.Body.AccessToken == "" && s.Owner == nil && p.Role == auth.Admin,
		TokenType: in.Body.TokenType, Access: secret.New(in.Body.AccessToken), Refresh: secret.New(in.Body.RefreshToken),
		ExpiresIn: time.Duration(in.Body.ExpiresIn) * time.Second, Scopes: in.Body.Scopes,
		ClientID: in.Body.ClientID, ClientSecret: secret.New(in.Body.ClientSecret),
	})
	return &doneOutput{Body: doneBody{Success: true}}, err
}
