// Package mysql is the connector to a user's MySQL or MariaDB database. Every call has a session of its own. Reads go
// through two walls: what the statement says, and a session that the database itself keeps from changing anything.
// Writes leave a row beside what they change, in the same transaction, so that a lost answer can be cleared up.
package mysql

import (
	"strings"

	"steward/internal/connector"
	"steward/internal/connector/database"
	"steward/internal/fault"
)

const title = "MySQL"

// ownDatabase is the server's.
const ownDatabase = "mysql"

// usualPort is the one registered with IANA.
const usualPort = 3306

// New makes the connector.
func New() *connector.Connector {
	return &connector.Connector{
		Name: "mysql", Title: title, Description: "Query, describe and change a MySQL or MariaDB database.",
		Form:  &connector.Form{Fields: fields(), Place: place, Open: open},
		Tools: []connector.Tool{queryTool(), describeTool(), writeTool()},
	}
}

// fields begin as in seed 002 for its other database.
func fields() []connector.Field {
	own := []connector.Field{
		database.HostField(),
		database.PortField(usualPort),
		{Name: database.Name, Label: "Database Name", Kind: connector.Line, Required: true, MaxLength: 64},
		{
			Name: database.Username, Label: "Username", Kind: connector.Line, Required: true, MaxLength: 128,
			Help: "Of an account that may do no more than is needed: one with rights over the server is refused.",
		},
		{Name: database.Password, Label: "Password", Kind: connector.Password, Required: true},
	}
	return append(append(own, database.TLSFields()...), database.WritesField())
}

// place refuses the database that holds accounts and the hashes of their passwords.
func place(s connector.Settings) (string, error) {
	if strings.EqualFold(s.Text(database.Name), ownDatabase) {
		return "", fault.InvalidField("body."+database.Name, "holds the server's own tables, which are not for tools")
	}
	return database.Place(s)
}
