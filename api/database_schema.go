package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
	"steward/internal/connector"
)

// FormField is one question of a form: how to show it, and what will be accepted.
type FormField struct {
	Name      string              `json:"name" doc:"The member of the body that answers it." example:"port"`
	Label     string              `json:"label" doc:"What to ask." example:"Port"`
	Type      connector.FieldKind `json:"type" enum:"text,textarea,number,password,checkbox,select" doc:"How to ask, in HTML's terms." example:"number"`
	Required  bool                `json:"required,omitempty" doc:"Whether it must be answered; absent: it need not be." example:"true"`
	Default   any                 `json:"default,omitempty" doc:"What counts without an answer." example:"5432"`
	Help      string              `json:"help,omitempty" doc:"A word of explanation." example:"Name or address of the server, without a port."`
	Options   []string            `json:"options,omitempty" doc:"Of a select: what can be chosen."`
	Min       *int                `json:"min,omitempty" doc:"Of a number: the least." example:"1"`
	Max       *int                `json:"max,omitempty" doc:"Of a number: the most." example:"65535"`
	MaxLength int                 `json:"max_length,omitempty" doc:"Of what is written: the most characters." example:"255"`
	Pattern   string              `json:"pattern,omitempty" doc:"Of what is written: a regular expression that it fits." example:"^[a-z]+$"`
	Secret    bool                `json:"secret,omitempty" doc:"Whether it is sealed on receipt and shown nowhere again." example:"false"`
}

type databaseSchemaInput struct {
	Caller

	Type string `query:"db_type" required:"true" minLength:"1" maxLength:"64" doc:"The type, as GET /api/databases/types names it." example:"postgres"`
}

type databaseSchemaBody struct {
	Type   string      `json:"db_type" doc:"The type." example:"postgres"`
	Name   string      `json:"name" doc:"Its name for people." example:"PostgreSQL"`
	Fields []FormField `json:"fields" doc:"The form's questions, in order."`
}

type databaseSchemaOutput struct{ Body databaseSchemaBody }

func (h *databases) registerSchema(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "getDatabaseSchema", Method: http.MethodGet, Path: "/api/databases/schema", Tags: []string{"databases"},
			Summary: "Get the form of a type of database",
			Description: "What a person fills in to connect one. `POST /api/databases/test` and `POST /api/databases/connect` take the answers under the " +
				"fields' names and complain about each in its place: `errors[].location` is `body.<name>`.",
		},
		access: access{scope: auth.Connections},
		answers: databaseSchemaBody{Type: "postgres", Name: "PostgreSQL", Fields: []FormField{
			shownField(connector.NameField),
			{Name: "host", Label: "Host", Type: connector.Line, Required: true, MaxLength: 253},
			{Name: "port", Label: "Port", Type: connector.Number, Default: 5432, Min: of(1), Max: of(65535)},
			{Name: "password", Label: "Password", Type: connector.Password, Required: true, MaxLength: 255, Secret: true},
			{Name: "ssl", Label: "SSL Required", Type: connector.Checkbox},
		}},
	}, h.schema)
}

func (h *databases) schema(_ context.Context, in *databaseSchemaInput) (*databaseSchemaOutput, error) {
	k, err := h.kind(in.Type, "query.db_type")
	if err != nil {
		return nil, err
	}
	fields := []FormField{shownField(connector.NameField)}
	for _, f := range k.Form.Fields {
		fields = append(fields, shownField(f))
	}
	return &databaseSchemaOutput{Body: databaseSchemaBody{Type: k.Name, Name: k.Title, Fields: fields}}, nil
}

func shownField(f connector.Field) FormField {
	shown := FormField{
		Name: f.Name, Label: f.Label, Type: f.Kind, Required: f.Required, Default: f.Default, Help: f.Help, Options: f.Options,
		MaxLength: f.Longest(), Pattern: f.Pattern, Secret: f.Hidden(),
	}
	if f.Kind == connector.Number {
		shown.Min, shown.Max = &f.Least, &f.Most
	}
	return shown
}
