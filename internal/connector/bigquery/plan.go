package bigquery

import (
	"context"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	bq "google.golang.org/api/bigquery/v2"

	"steward/internal/automation"
	"steward/internal/connector"
)

// queryTime is how long a query may run.
const queryTime = 30 * time.Second

const longestQuery = 50_000 // characters

type dryRunInput struct {
	Project string `json:"project" jsonschema:"id of the Google Cloud project that is billed, from BIGQUERY_LIST_PROJECTS"`
	Query   string `json:"query" jsonschema:"one SELECT statement in GoogleSQL; tables as project.dataset.table in backticks"`
}

type dryRunResult struct {
	Bytes   int64    `json:"bytes" jsonschema:"what the query would read, for which BigQuery charges by the TiB"`
	Columns []column `json:"columns" jsonschema:"what it would give"`
}

func dryRunTool() connector.Tool {
	return connector.Typed[dryRunInput, dryRunResult]{
		Tool: connector.Tool{
			Name: "BIGQUERY_DRY_RUN", Title: "Estimate a query", Class: automation.Read, Untrusted: true, Private: true,
			Description: "Checks a BigQuery query without running it, and tells how many bytes it would read. It costs nothing.", Scopes: canQuery,
		},
		Bounds: bounds,
		Call: func(ctx context.Context, s *connector.Session, _ connector.Call, in dryRunInput) (dryRunResult, error) {
			api, err := client(ctx, s)
			if err != nil {
				return dryRunResult{}, err
			}
			p, err := planOf(ctx, s, api, in.Project, in.Query)
			if err != nil {
				return dryRunResult{}, err
			}
			shown, _ := columns(p.columns)
			return dryRunResult{Bytes: p.bytes, Columns: shown}, nil
		},
	}.Build()
}

func bounds(p map[string]*jsonschema.Schema) {
	ids("project")(p)
	p["query"].MinLength, p["query"].MaxLength = jsonschema.Ptr(1), jsonschema.Ptr(longestQuery)
}

// plan is what a dry run tells.
type plan struct {
	bytes    int64
	location string // where the data is, and the query runs
	columns  *bq.TableSchema
}

// planOf lets BigQuery look at a query without running it, and refuses what it does not call a SELECT.
func planOf(ctx context.Context, s *connector.Session, api *bq.Service, project, query string) (plan, error) {
	if err := check(query); err != nil {
		return plan{}, &connector.Error{Answered: true, Reason: err.Error()}
	}
	job := jobOf(query)
	job.Configuration.DryRun = true
	job.JobReference = &bq.JobReference{ProjectId: project}
	dry, err := api.Jobs.Insert(project, job).Context(ctx).Do()
	if err != nil {
		return plan{}, failure(s, canQuery, err)
	}
	if dry.Status != nil && dry.Status.ErrorResult != nil {
		return plan{}, &connector.Error{Answered: true, Reason: "BigQuery refused it: " + short(dry.Status.ErrorResult.Message)}
	}
	if dry.Statistics == nil || dry.Statistics.Query == nil || dry.Statistics.Query.StatementType != "SELECT" {
		return plan{}, &connector.Error{Answered: true, Reason: errNotAQuery.Error()}
	}
	p := plan{bytes: dry.Statistics.Query.TotalBytesProcessed, columns: dry.Statistics.Query.Schema}
	if dry.JobReference != nil {
		p.location = dry.JobReference.Location
	}
	return p, nil
}

func jobOf(query string) *bq.Job {
	legacy := false
	return &bq.Job{Configuration: &bq.JobConfiguration{
		JobTimeoutMs: queryTime.Milliseconds(),
		Query:        &bq.JobConfigurationQuery{Query: query, UseLegacySql: &legacy, ForceSendFields: []string{"UseLegacySql"}},
	}}
}
