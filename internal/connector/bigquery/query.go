package bigquery

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	bq "google.golang.org/api/bigquery/v2"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/connector/database"
	"steward/internal/connector/google"
)

const (
	usualBilled = 1 << 30  // bytes: a GiB
	mostBilled  = 10 << 30 // bytes that a model may allow itself
	usualRows   = 200
)

type queryInput struct {
	Project        string `json:"project" jsonschema:"id of the Google Cloud project that is billed, from BIGQUERY_LIST_PROJECTS"`
	Query          string `json:"query" jsonschema:"one SELECT statement in GoogleSQL; tables as project.dataset.table in backticks"`
	MaxBytesBilled int64  `json:"max_bytes_billed,omitempty" jsonschema:"a query that would be billed for more fails and costs nothing; 1 GiB if not given"`
	MaxRows        int    `json:"max_rows,omitempty" jsonschema:"how many rows at most, 200 if not given"`
}

type queryResult struct {
	database.Answer

	TotalRows uint64 `json:"total_rows" jsonschema:"how many rows the query has found"`
	Bytes     int64  `json:"bytes" jsonschema:"what it has read"`
}

func queryTool() connector.Tool {
	return connector.Typed[queryInput, queryResult]{
		Tool: connector.Tool{
			Name: "BIGQUERY_QUERY", Title: "Query BigQuery", Class: automation.Read, Untrusted: true, Private: true,
			Description: "Runs a SELECT statement in BigQuery and gives its rows. It is billed to the project, up to max_bytes_billed; BIGQUERY_DRY_RUN tells the size before.",
			Scopes:      canQuery, Answer: "rows",
		},
		Bounds: func(p map[string]*jsonschema.Schema) {
			bounds(p)
			p["max_bytes_billed"].Minimum, p["max_bytes_billed"].Maximum = jsonschema.Ptr(1.0), jsonschema.Ptr(float64(mostBilled))
			p["max_rows"].Minimum, p["max_rows"].Maximum = jsonschema.Ptr(1.0), jsonschema.Ptr(float64(database.MostRows))
		},
		Call: query,
	}.Build()
}

// query starts a job under an id of ours: an attempt that is repeated finds the job of the one before, and nobody is
// billed twice.
func query(ctx context.Context, s *connector.Session, c connector.Call, in queryInput) (queryResult, error) {
	ctx, cancel := context.WithTimeout(ctx, queryTime)
	defer cancel()
	billed := in.MaxBytesBilled
	if billed <= 0 {
		billed = usualBilled
	}
	if billed > mostBilled {
		return queryResult{}, &connector.Error{Answered: true, Reason: fmt.Sprintf("max_bytes_billed: at most %d", int64(mostBilled))}
	}
	api, err := client(ctx, s)
	if err != nil {
		return queryResult{}, err
	}
	p, err := planOf(ctx, s, api, in.Project, in.Query)
	if err != nil {
		return queryResult{}, err
	}
	job := jobOf(in.Query)
	job.Configuration.Query.MaximumBytesBilled = billed
	job.JobReference = &bq.JobReference{ProjectId: in.Project, JobId: jobID(c.ID), Location: p.location}
	if _, err := api.Jobs.Insert(in.Project, job).Context(ctx).Do(); err != nil && !google.IsTaken(err) {
		return queryResult{}, failure(s, canQuery, err)
	}
	found, err := results(ctx, s, api, job.JobReference, rowsOf(in))
	if err != nil {
		return queryResult{}, err
	}
	rows, err := read(found, rowsOf(in))
	if err != nil {
		return queryResult{}, &connector.Error{Reason: "the rows could not be read", Err: err}
	}
	return queryResult{Answer: rows.Answer(), TotalRows: found.TotalRows, Bytes: found.TotalBytesProcessed}, nil
}

func rowsOf(in queryInput) int {
	if in.MaxRows <= 0 || in.MaxRows > database.MostRows {
		return usualRows
	}
	return in.MaxRows
}

// jobID is ours for a call: letters, digits, dashes and underscores.
func jobID(call string) string {
	return "steward_" + strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '-'
	}, call)
}

// results waits for the job. One row more is asked for than wanted: it shows that there are more.
func results(ctx context.Context, s *connector.Session, api *bq.Service, job *bq.JobReference, most int) (*bq.GetQueryResultsResponse, error) {
	for {
		left := queryTime
		if deadline, ok := ctx.Deadline(); ok {
			left = time.Until(deadline)
		}
		found, err := api.Jobs.GetQueryResults(job.ProjectId, job.JobId).Context(ctx).Location(job.Location).
			MaxResults(int64(most) + 1).TimeoutMs(max(left.Milliseconds()-1000, 0)).FormatOptionsUseInt64Timestamp(true).Do()
		switch {
		case ctx.Err() != nil || err == nil && !found.JobComplete && left < 2*time.Second:
			return nil, &connector.Error{Answered: true, Reason: fmt.Sprintf("the query did not end within %s: make it smaller", queryTime), Err: err}
		case err != nil:
			return nil, failure(s, canQuery, err)
		case found.JobComplete:
			return found, nil
		}
	}
}
