package bigquery_test

import (
	"testing"

	"steward/internal/connector/bigquery"
	"steward/internal/connector/connectortest"
)

func TestConforms(t *testing.T) {
	t.Parallel()
	connectortest.Conform(t, bigquery.New(), bigquery.Scopes()...)
}
