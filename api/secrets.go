package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
	"steward/internal/fault"
	"steward/internal/registry"
	"steward/internal/store"
	"steward/internal/tool"
	"steward/internal/vault"
)

// secrets serves /secrets: what users store for the servers they call. Values go in and never come out.
type secrets struct {
	vault   *vault.Vault
	servers *registry.Registry
}

func (h *secrets) register(api huma.API) {
	h.registerSet(api)
	h.registerDelete(api)
	h.registerList(api)
}

// secretEntry is one stored value, without the value.
type secretEntry struct {
	ServerName  string     `json:"serverName" doc:"The MCP server it is for." example:"mcp-github"`
	ServerID    int64      `json:"serverId" doc:"The same server's number." example:"3"`
	SecretName  string     `json:"secretName" doc:"Its name." example:"GITHUB_TOKEN"`
	Fingerprint string     `json:"fingerprint" doc:"Another one for another value. Keyed: nothing can be learned from it." example:"3fa04c1b9e"`
	UpdatedAt   time.Time  `json:"updated_at" doc:"When the value was set."`
	LastUsedAt  *time.Time `json:"last_used_at" doc:"When a call or a session last got this value; null: never. Up to ten seconds late."`
}

type secretsInput struct {
	Caller

	Server string `query:"server" maxLength:"128" doc:"Only those for this MCP server." example:"mcp-github"`
}

type secretsBody struct {
	Secrets    []secretEntry `json:"secrets" doc:"One's own, by server and name."`
	NextCursor *string       `json:"next_cursor" doc:"Always null: the list is whole."`
}

type secretsOutput struct{ Body secretsBody }

func (h *secrets) registerList(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "listSecrets", Method: http.MethodGet, Path: "/secrets", Tags: []string{"secrets"},
			Summary:     "List one's secrets by name",
			Description: "Names, fingerprints and last use. There is no call that tells a value.",
		},
		access: access{scope: auth.Connections},
		answers: secretsBody{Secrets: []secretEntry{{
			ServerName: "mcp-github", ServerID: 3, SecretName: exampleVariable, Fingerprint: "3fa04c1b9e",
			UpdatedAt: exampleTime, LastUsedAt: &exampleTime,
		}}},
	}, h.list)
}

func (h *secrets) list(ctx context.Context, in *secretsInput) (*secretsOutput, error) {
	p, err := principal(ctx)
	if err != nil {
		return nil, err
	}
	entries, err := h.vault.List(ctx, p.Owner)
	if err != nil {
		return nil, err
	}
	out := &secretsOutput{Body: secretsBody{Secrets: []secretEntry{}}}
	for _, e := range entries {
		if in.Server == "" || in.Server == e.ServerName {
			out.Body.Secrets = append(out.Body.Secrets, secretEntry{e.ServerName, e.Server, e.Name, e.Fingerprint, e.Updated, e.LastUsed})
		}
	}
	return out, nil
}

// change is what a request asks for, by whoever asks; users are those that its body names. A server that is not there
// and one of somebody else's are the same.
func (h *secrets) change(ctx context.Context, server, name string, users ...string) (vault.Change, error) {
	p, err := principalNamed(ctx, users...)
	if err != nil {
		return vault.Change{}, err
	}
	var found *store.MCPServer
	if found, err = h.servers.ByName(ctx, p.Owner, server); err != nil {
		return vault.Change{}, err
	}
	if found == nil {
		return vault.Change{}, fault.New(fault.NotFound, "Server with name %s not found", tool.Clean(server, 128))
	}
	return vault.Change{Owner: p.Owner, Actor: p.Actor, Server: found.ID, Name: name}, nil
}
