// Package redis is the connector to a user's Redis: look into it, read it, and, where the user has allowed it, change
// it exactly once.
//
// Two walls stand before the data when it is read. A list names the commands that may be sent, and the server itself
// refuses to change anything: every command of an account that could write travels inside a read-only script
// (EVAL_RO), and an account without scripts must be one that may not write.
//
// Many servers have only the default account, which may do everything, and the form of seed 002 asks for no more than a
// password: such an account is let in, by Redis 7 or later, which has EVAL_RO. What it may still do over us is to read
// all keys. One that is made by readerAdvice, with a pattern of keys, cannot do that either.
package redis

import (
	"steward/internal/connector"
	"steward/internal/connector/database"
)

// title names the kind for people.
const title = "Redis"

// mostDatabase is the highest number of a database in a server's usual configuration.
const mostDatabase = 15

// New makes the connector.
func New() *connector.Connector {
	return &connector.Connector{
		Name: "redis", Title: title, Description: "Look into a Redis server, read it, and change it if that is allowed.",
		Form:  &connector.Form{Fields: fields(), Place: database.Place, Open: open},
		Tools: []connector.Tool{queryTool(), describeTool(), writeTool()},
	}
}

// fields begin as in seed 002: host, port, password.
func fields() []connector.Field {
	out := []connector.Field{
		database.HostField(),
		database.PortField(6379),
		{
			Name: database.Password, Label: "Password", Kind: connector.Password,
			Help: "Best that of an account made for this: " + readerAdvice,
		},
		{Name: database.Username, Label: "Username", Kind: connector.Line, Help: "Empty for the default account."},
		{Name: database.Name, Label: "Database Number", Kind: connector.Number, Default: 0, Least: 0, Most: mostDatabase},
	}
	return append(append(out, database.TLSFields()...), database.WritesField())
}
