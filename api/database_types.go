package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
)

// DatabaseType is a kind of database that can be connected.
type DatabaseType struct {
	Type        string `json:"db_type" doc:"Its name in the other calls." example:"postgres"`
	Name        string `json:"name" doc:"Its name for people." example:"PostgreSQL"`
	Description string `json:"description" doc:"What can be done with it." example:"Query a PostgreSQL database."`
}

type databaseTypesBody struct {
	Types      []DatabaseType `json:"types" doc:"Everything that can be connected."`
	NextCursor *string        `json:"next_cursor" doc:"Always null: the list is whole."`
}

type databaseTypesOutput struct{ Body databaseTypesBody }

func (h *databases) registerTypes(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "listDatabaseTypes", Method: http.MethodGet, Path: "/api/databases/types", Tags: []string{"databases"},
			Summary: "List the types of databases", Description: "The same for every user; `GET /api/databases/schema` has the form of each.",
		},
		access:  access{scope: auth.Connections},
		answers: databaseTypesBody{Types: []DatabaseType{{Type: "postgres", Name: "PostgreSQL", Description: "Query a PostgreSQL database."}}},
	}, h.types)
}

func (h *databases) types(context.Context, *databasesInput) (*databaseTypesOutput, error) {
	out := &databaseTypesOutput{Body: databaseTypesBody{Types: []DatabaseType{}}}
	for _, k := range h.connections.Kinds() {
		if k.Form != nil {
			out.Body.Types = append(out.Body.Types, DatabaseType{Type: k.Name, Name: k.Title, Description: k.Description})
		}
	}
	return out, nil
}
