package mcp

import (
	"context"
	"fmt"

	"steward/internal/auth"
	"steward/internal/registry"
	"steward/internal/store"
)

type nothing struct{}

type serverList struct {
	Servers []server `json:"servers" nullable:"false" doc:"In the order of their ids."`
}

type server struct {
	ID          int64  `json:"id" doc:"The server's number; runs name it as mcp_server_id." example:"1"`
	Name        string `json:"name" doc:"Its name." example:"mailbox"`
	Title       string `json:"title,omitempty" doc:"Its name for people."`
	Description string `json:"description" doc:"What it is for."`
	Transport   string `json:"transport" doc:"http or stdio." example:"http"`
	AuthType    string `json:"auth_type" enum:"none,oauth" doc:"oauth: each user consents for themselves."`
	Enabled     bool   `json:"enabled" doc:"Whether it can be called."`
	Shared      bool   `json:"shared" doc:"Registered by an admin for everybody; otherwise it is the user's own."`
	Status      string `json:"status" enum:"connected,connecting,disconnected,error" doc:"How it was last seen."`
}

func getMCPServers(servers *registry.Registry) offer {
	return offering(about{
		name: "get_mcp_servers", title: "List MCP servers", hints: reads,
		description: "The MCP servers whose tools the user's runs may use. list_tools lists the tools themselves.",
	}, auth.ServersRead, SchemaOf[serverList](), func(ctx context.Context, c *call, _ nothing) (any, error) {
		rows, err := servers.Visible(ctx, c.caller.Owner)
		if err != nil {
			return nil, fmt.Errorf("list servers: %w", err)
		}
		ids := make([]int64, len(rows))
		for i, row := range rows {
			ids[i] = row.ID
		}
		seen, err := servers.Status(ctx, c.caller.Owner, ids)
		if err != nil {
			return nil, fmt.Errorf("status of servers: %w", err)
		}
		list := serverList{Servers: make([]server, len(rows))}
		for i, row := range rows {
			list.Servers[i] = serverOf(row, seen[row.ID])
		}
		return list, nil
	})
}

func serverOf(row *store.MCPServer, seen registry.Status) server {
	s := server{
		ID: row.ID, Name: row.Name, Title: row.Title, Description: row.Description, Transport: row.Transport,
		AuthType: "none", Enabled: row.Enabled, Shared: row.Owner == nil, Status: seen.State,
	}
	if row.AuthProvider != "" {
		s.AuthType = "oauth"
	}
	if s.Status == "" {
		s.Status = "disconnected"
	}
	return s
}
