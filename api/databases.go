package api

import (
	"context"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
	"steward/internal/connector"
	"steward/internal/connector/database"
	"steward/internal/fault"
)

// databases serves /api/databases: what users connect by filling in a form (seed 002).
type databases struct {
	connections *connector.Connections
}

func (h *databases) register(api huma.API) {
	h.registerList(api)
	h.registerTypes(api)
	h.registerSchema(api)
	h.registerTry(api)
	h.registerConnect(api)
	h.registerDisconnect(api)
}

// Database is one that a user has connected. It says nothing of how it is entered.
type Database struct {
	ID          string    `json:"db_id" doc:"The database, for connections of runs; its tools' names end with it." example:"db_7jq2nyx4tb5cwzka"`
	Name        string    `json:"name" doc:"The user's name for it." example:"My Analytics DB"`
	Type        string    `json:"db_type" doc:"What it is, as GET /api/databases/types names it." example:"postgres"`
	Host        string    `json:"host" doc:"The machine, or several." example:"analytics.db.example.com"`
	Place       string    `json:"place" doc:"Where it is: machine, port, and what the form names there." example:"analytics.db.example.com:5432/campaigns"`
	Status      string    `json:"status" enum:"connected" doc:"connected: it let us in when it was connected. GET /api/tools/health?check=true says how it is now." example:"connected"`
	AllowWrites bool      `json:"allow_writes" doc:"Whether the tool that changes data is offered." example:"false"`
	CreatedAt   time.Time `json:"created_at" doc:"When it was connected."`
}

const connectedStatus = "connected" // seed 002's word

type databasesInput struct {
	Caller
}

type databasesBody struct {
	Databases  []Database `json:"databases" doc:"What the user has connected, the oldest first."`
	NextCursor *string    `json:"next_cursor" doc:"Always null: the list is whole."`
}

type databasesOutput struct{ Body databasesBody }

func (h *databases) registerList(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "listDatabases", Method: http.MethodGet, Path: "/api/databases", Tags: []string{"databases"},
			Summary: "List the databases that one has connected", Description: "Nothing that was filled in secretly is ever shown again.",
		},
		access: access{scope: auth.Connections},
		answers: databasesBody{Databases: []Database{{
			ID: exampleDatabase, Name: "My Analytics DB", Type: "postgres", Host: "analytics.db.example.com",
			Place: "analytics.db.example.com:5432/campaigns", Status: connectedStatus, CreatedAt: exampleTime,
		}}},
	}, h.list)
}

func (h *databases) list(ctx context.Context, _ *databasesInput) (*databasesOutput, error) {
	p, err := principal(ctx)
	if err != nil {
		return nil, err
	}
	saved, err := h.connections.Saved(ctx, p.Owner)
	if err != nil {
		return nil, err
	}
	out := &databasesOutput{Body: databasesBody{Databases: make([]Database, 0, len(saved))}}
	for _, c := range saved {
		out.Body.Databases = append(out.Body.Databases, Database{
			ID: c.ID, Name: c.Name, Type: c.Connector.Name, Host: hostOf(c.Place()), Place: c.Place(), Status: connectedStatus,
			AllowWrites: slices.Contains(c.Offers(), database.Writes), CreatedAt: c.Since(),
		})
	}
	return out, nil
}

// hostOf is the machine of a place, without its port; of several machines all of it.
func hostOf(place string) string {
	machines, _, _ := strings.Cut(place, "/")
	if host, _, err := net.SplitHostPort(machines); err == nil {
		return host
	}
	return machines
}

// kind finds what a request calls db_type, at where.
func (h *databases) kind(name, where string) (*connector.Connector, error) {
	if k, ok := h.connections.Find(name); ok && k.Form != nil {
		return k, nil
	}
	return nil, fault.InvalidField(where, "no such type of database: GET /api/databases/types lists them")
}
