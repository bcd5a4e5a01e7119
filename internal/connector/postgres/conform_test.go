package postgres_test

import (
	"testing"

	"steward/internal/connector/connectortest"
	"steward/internal/connector/postgres"
)

func TestConforms(t *testing.T) {
	t.Parallel()
	connectortest.Conform(t, postgres.New())
}

func TestFormConforms(t *testing.T) {
	t.Parallel()
	connectortest.ConformForm(t, postgres.New(), map[string]any{
		"host": "db.example.com", "port": 6543, "database": "campaigns", "username": "reader", "password": "canary-password", "ssl": true, "allow_writes": true,
	}, "db.example.com:6543")
}
