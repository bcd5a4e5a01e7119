package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
	"steward/internal/secret"
)

type secretSetBody struct {
	UserID      string `json:"user_id,omitempty" maxLength:"255" doc:"The same as username." example:"user123"`
	Username    string `json:"username,omitempty" maxLength:"255" doc:"For callers with an API key: whose; default \"default\"." example:"user123"`
	ServerName  string `json:"serverName" minLength:"1" maxLength:"128" doc:"The MCP server that gets it: its name, or its number." example:"mcp-github"`
	SecretName  string `json:"secretName" minLength:"1" maxLength:"128" doc:"As the server's environment, or the secret parameter of its tools, is named." example:"GITHUB_TOKEN"`
	SecretValue string `json:"secretValue" writeOnly:"true" minLength:"1" maxLength:"65536" doc:"The value, up to 64 KiB. No call ever tells it." example:"ghp_xxxxxxxxxxxx"`
}

type secretSetInput struct {
	Caller

	Body secretSetBody
}

func (h *secrets) registerSet(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "setSecret", Method: http.MethodPost, Path: "/secrets/set", Tags: []string{"secrets"},
			Summary: "Store a secret for an MCP server",
			Description: "Sealed at once, and used in the user's own calls alone: as a declared variable of a server that runs for this user, as a declared " +
				"header, or as a declared secret parameter of a tool (`x-secret`, `writeOnly`, `format: password`). Never as anything else, and never for another " +
				"server. A value of this name is replaced.",
			Errors: []int{http.StatusNotFound},
		},
		access:  access{scope: auth.Connections},
		asks:    secretSetBody{Username: "user123", ServerName: "mcp-github", SecretName: exampleVariable, SecretValue: exampleValue},
		answers: doneBody{Success: true},
	}, h.set)
}

func (h *secrets) set(ctx context.Context, in *secretSetInput) (*doneOutput, error) {
	change, err := h.change(ctx, in.Body.ServerName, in.Body.SecretName, in.Body.UserID, in.Body.Username)
	if err != nil {
		return nil, err
	}
	if err := h.vault.Set(ctx, change, secret.New(in.Body.SecretValue)); err != nil {
		return nil, err
	}
	return &doneOutput{Body: doneBody{Success: true}}, nil
}
