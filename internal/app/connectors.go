package app

import "steward/internal/connector"

// connectors is the list: a new connector is a folder and a line here.
func connectors() []*connector.Connector {
	return []*connector.Connector{}
}
