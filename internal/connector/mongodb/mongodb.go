// Package mongodb is the connector to a user's MongoDB database, or one that speaks its protocol. It reads with find
// and aggregate out of which every operator that runs code, writes or leaves the database is taken, and changes single
// documents so that an attempt which got lost can be cleared up: there need be no transactions.
package mongodb

import (
	"steward/internal/connector"
	"steward/internal/connector/database"
)

// field of the connection string, as in seed 002.
const field = "connection_string"

// New makes the connector.
func New() *connector.Connector {
	return &connector.Connector{
		Name: "mongodb", Title: "MongoDB", Description: "Query, describe and change a MongoDB database.",
		Form:  form(),
		Tools: []connector.Tool{queryTool(), describeTool(), writeTool()},
	}
}

func form() *connector.Form {
	fields := []connector.Field{
		{
			Name: field, Label: "Connection String", Kind: connector.Line, Secret: true, Required: true, MaxLength: 4096,
			Help: "mongodb://user:password@host:27017/database. Strings that begin with mongodb+srv:// are not taken: " +
				"the provider shows the same cluster in the standard form, too. Without ?authSource= the account is looked up in the database of the string.",
		},
		{
			Name: database.Name, Label: "Database Name", Kind: connector.Line, MaxLength: 63,
			Pattern: databaseName, Wrong: "is not a database's name", Help: "The database to work in, if not the one in the string.",
		},
	}
	fields = append(fields, database.TLSFields()...)
	return &connector.Form{Fields: append(fields, database.WritesField()), Place: place, Open: open}
}
