package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
)

type secretDeleteBody struct {
	UserID     string `json:"user_id,omitempty" maxLength:"255" doc:"The same as username." example:"user123"`
	Username   string `json:"username,omitempty" maxLength:"255" doc:"For callers with an API key: whose; default \"default\"." example:"user123"`
	ServerName string `json:"serverName" minLength:"1" maxLength:"128" doc:"The MCP server it is for: its name, or its number." example:"mcp-github"`
	SecretName string `json:"secretName" minLength:"1" maxLength:"128" doc:"Its name." example:"GITHUB_TOKEN"`
}

type secretDeleteInput struct {
	Caller

	Body secretDeleteBody
}

func (h *secrets) registerDelete(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "deleteSecret", Method: http.MethodPost, Path: "/secrets/delete", Tags: []string{"secrets"},
			Summary:     "Remove a secret for good",
			Description: "Sessions that had it take no new calls. 404 also when there is none of this name.",
			Errors:      []int{http.StatusNotFound},
		},
		access:  access{scope: auth.Connections},
		asks:    secretDeleteBody{Username: "user123", ServerName: "mcp-github", SecretName: exampleVariable},
		answers: doneBody{Success: true},
	}, h.delete)
}

func (h *secrets) delete(ctx context.Context, in *secretDeleteInput) (*doneOutput, error) {
	change, err := h.change(ctx, in.Body.ServerName, in.Body.SecretName, in.Body.UserID, in.Body.Username)
	if err != nil {
		return nil, err
	}
	if err := h.vault.Delete(ctx, change); err != nil {
		return nil, err
	}
	return &doneOutput{Body: doneBody{Success: true}}, nil
}
