package mongodb_test

import (
	"testing"

	"steward/internal/connector/connectortest"
	"steward/internal/connector/mongodb"
)

func TestConforms(t *testing.T) {
	t.Parallel()
	connectortest.Conform(t, mongodb.New())
	connectortest.ConformForm(t, mongodb.New(), map[string]any{
		"connection_string": "mongodb://analyst:pa55word-of-hers@db.example.com:27018/?authSource=admin", "database": "campaigns", "allow_writes": true,
	}, "db.example.com:27018")
}
