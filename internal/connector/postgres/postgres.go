// Package postgres is the connector to a user's PostgreSQL: it describes, queries in transactions that only read, and
// changes rows exactly once.
package postgres

import (
	"steward/internal/connector"
	"steward/internal/connector/database"
)

const title = "PostgreSQL"

// New makes the connector.
func New() *connector.Connector {
	return &connector.Connector{
		Name: "postgres", Title: title, Description: "Describe, query and change a PostgreSQL database.",
		Form: &connector.Form{
			Fields: fields(), Place: database.Place,
			Open: func(s connector.Settings, dial connector.Dial) (connector.Link, error) { return open(s, dial) },
		},
		Tools: []connector.Tool{queryTool(), describeTool(), writeTool()},
	}
}

// fields begin as in seed 002.
func fields() []connector.Field {
	own := []connector.Field{
		database.HostField(),
		database.PortField(5432),
		// Names have at most 63 bytes, PostgreSQL documentation §4.1.1.
		{Name: database.Name, Label: "Database Name", Kind: connector.Line, Required: true, MaxLength: 63},
		{Name: database.Username, Label: "Username", Kind: connector.Line, Required: true, MaxLength: 63, Help: "A role that may do no more than is needed: superusers and their like are refused."},
		{Name: database.Password, Label: "Password", Kind: connector.Password, Required: true, MaxLength: 1024},
	}
	return append(append(own, database.TLSFields()...), database.WritesField())
}
