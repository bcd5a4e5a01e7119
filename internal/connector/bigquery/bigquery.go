// Package bigquery is the connector to the datasets that a user's Google account may read: what there is, what a query
// would cost, and its rows. It changes nothing: a query is read here, and run only if BigQuery too calls it a SELECT.
package bigquery

import (
	"context"

	bq "google.golang.org/api/bigquery/v2"

	"steward/internal/connector"
	"steward/internal/connector/google"
)

const service = "BigQuery"

// readOnlyScope is documented, but missing from the client library.
const readOnlyScope = "https://www.googleapis.com/auth/bigquery.readonly"

// Scopes of which any one suffices, the least first: it is the one that is asked for
// (https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/projects/list, .../tables/list, .../jobs/insert). Only
// jobs.insert tells the type of a statement before it runs and takes an id for the job, and no read-only scope opens it.
var (
	canRead  = []string{readOnlyScope, bq.BigqueryScope, bq.CloudPlatformReadOnlyScope, bq.CloudPlatformScope}
	canQuery = []string{bq.BigqueryScope, bq.CloudPlatformScope}
)

// Scopes lists what the connector knows of.
func Scopes() []string { return canRead }

// New makes the connector.
func New() *connector.Connector {
	return &connector.Connector{
		Name: "bigquery", Title: service, Description: "List and query datasets in BigQuery, read-only and with a limit on cost.",
		Provider: google.Provider,
		Tools:    []connector.Tool{projectsTool(), datasetsTool(), tablesTool(), schemaTool(), dryRunTool(), queryTool()},
	}
}

// client is Google's for one session.
func client(ctx context.Context, s *connector.Session) (*bq.Service, error) {
	api, err := bq.NewService(ctx, google.Options(s, "bigquery/v2/")...)
	if err != nil {
		return nil, &connector.Error{Reason: "BigQuery's client could not be set up", Err: err}
	}
	return api, nil
}

func failure(s *connector.Session, scopes []string, err error) *connector.Error {
	return google.ReadFailure(s, service, scopes, err)
}
