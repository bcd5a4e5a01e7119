// Package schema embeds the database migrations (goose) that the queries in queries/ are checked against.
package schema

import "embed"

// Migrations holds the goose files under "migrations/".
//
//go:embed migrations/*.sql
var Migrations embed.FS
