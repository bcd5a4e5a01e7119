package bigquery

import (
	"context"

	"steward/internal/automation"
	"steward/internal/connector"
)

type schemaInput struct {
	Project string `json:"project" jsonschema:"id of the Google Cloud project, from BIGQUERY_LIST_PROJECTS"`
	Dataset string `json:"dataset" jsonschema:"id of the dataset"`
	Table   string `json:"table" jsonschema:"id of the table or view"`
}

type schemaResult struct {
	Type        string   `json:"type" jsonschema:"TABLE, VIEW, MATERIALIZED_VIEW, EXTERNAL or SNAPSHOT"`
	Description string   `json:"description,omitempty"`
	Columns     []column `json:"columns"`
	Truncated   bool     `json:"truncated" jsonschema:"true: there are more columns than these"`
	Rows        uint64   `json:"rows" jsonschema:"how many there are, 0 for a view"`
	Bytes       int64    `json:"bytes" jsonschema:"how large the table is, 0 for a view"`
	PartitionBy string   `json:"partition_by,omitempty" jsonschema:"column by which it is partitioned: a condition on it makes queries cheaper"`
	NeedsFilter bool     `json:"needs_filter,omitempty" jsonschema:"whether queries must have a condition on that column"`
}

func schemaTool() connector.Tool {
	return connector.Typed[schemaInput, schemaResult]{
		Tool: connector.Tool{
			Name: "BIGQUERY_GET_SCHEMA", Title: "Describe a table", Class: automation.Read, Untrusted: true, Private: true,
			Description: "Describes a BigQuery table or view: its columns, its size, and the column by which it is partitioned.", Scopes: canRead,
		},
		Bounds: ids("project", "dataset", "table"),
		Call:   schema,
	}.Build()
}

func schema(ctx context.Context, s *connector.Session, _ connector.Call, in schemaInput) (schemaResult, error) {
	api, err := client(ctx, s)
	if err != nil {
		return schemaResult{}, err
	}
	found, err := api.Tables.Get(in.Project, in.Dataset, in.Table).Context(ctx).Do()
	if err != nil {
		return schemaResult{}, failure(s, canRead, err)
	}
	out := schemaResult{
		Type: found.Type, Description: short(found.Description), Rows: found.NumRows, Bytes: found.NumBytes, NeedsFilter: found.RequirePartitionFilter,
	}
	out.Columns, out.Truncated = columns(found.Schema)
	if p := found.TimePartitioning; p != nil {
		out.PartitionBy = p.Field
		if p.Field == "" {
			out.PartitionBy = "_PARTITIONTIME"
		}
	}
	if p := found.RangePartitioning; p != nil {
		out.PartitionBy = p.Field
	}
	return out, nil
}
