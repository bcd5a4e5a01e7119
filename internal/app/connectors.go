package app

import (
	"steward/internal/connector"
	"steward/internal/connector/gmail"
)

// connectors is the list: a new connector is a folder and a line here.
func connectors() []*connector.Connector {
	return []*connector.Connector{
		gmail.New(),
	}
}
