package app

import (
	"steward/internal/connector"
	"steward/internal/connector/bigquery"
	"steward/internal/connector/calendar"
	"steward/internal/connector/drive"
	"steward/internal/connector/gmail"
	"steward/internal/connector/mongodb"
	"steward/internal/connector/mysql"
	"steward/internal/connector/postgres"
	"steward/internal/connector/redis"
	"steward/internal/connector/slack"
)

// connectors is the list: a new connector is a folder and a line here.
func connectors() []*connector.Connector {
	return []*connector.Connector{
		gmail.New(),
		drive.New(),
		calendar.New(),
		slack.New(),
		bigquery.New(),
		postgres.New(),
		mysql.New(),
		redis.New(),
		mongodb.New(),
	}
}
