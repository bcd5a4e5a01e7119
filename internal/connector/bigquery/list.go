package bigquery

import (
	"context"

	"github.com/google/jsonschema-go/jsonschema"
	bq "google.golang.org/api/bigquery/v2"

	"steward/internal/automation"
	"steward/internal/connector"
)

// listed is how many datasets or tables are in one answer.
const listed = 200

type datasetsInput struct {
	Project   string `json:"project" jsonschema:"id of the Google Cloud project, from BIGQUERY_LIST_PROJECTS"`
	PageToken string `json:"page_token,omitempty" jsonschema:"next_page_token of the answer before, for what follows it"`
}

type datasetsResult struct {
	Datasets      []dataset `json:"datasets"`
	NextPageToken string    `json:"next_page_token,omitempty" jsonschema:"present if there are more"`
}

type dataset struct {
	ID       string `json:"id"`
	Name     string `json:"name,omitempty" jsonschema:"for people"`
	Location string `json:"location,omitempty"`
}

type tablesInput struct {
	Project   string `json:"project" jsonschema:"id of the Google Cloud project, from BIGQUERY_LIST_PROJECTS"`
	Dataset   string `json:"dataset" jsonschema:"id of the dataset"`
	PageToken string `json:"page_token,omitempty" jsonschema:"next_page_token of the answer before, for what follows it"`
}

type tablesResult struct {
	Tables        []table `json:"tables"`
	NextPageToken string  `json:"next_page_token,omitempty" jsonschema:"present if there are more"`
}

type table struct {
	ID   string `json:"id"`
	Type string `json:"type" jsonschema:"TABLE, VIEW, MATERIALIZED_VIEW, EXTERNAL or SNAPSHOT"`
}

func datasetsTool() connector.Tool {
	return connector.Typed[datasetsInput, datasetsResult]{
		Tool: connector.Tool{
			Name: "BIGQUERY_LIST_DATASETS", Title: "List datasets", Class: automation.Read, Untrusted: true, Private: true,
			Description: "Lists the datasets of a Google Cloud project that the account may see.", Scopes: canRead,
		},
		Bounds: ids("project"),
		Call: func(ctx context.Context, s *connector.Session, _ connector.Call, in datasetsInput) (datasetsResult, error) {
			api, err := client(ctx, s)
			if err != nil {
				return datasetsResult{}, err
			}
			found, err := api.Datasets.List(in.Project).Context(ctx).MaxResults(listed).PageToken(in.PageToken).Do()
			if err != nil {
				return datasetsResult{}, failure(s, canRead, err)
			}
			out := datasetsResult{Datasets: []dataset{}, NextPageToken: found.NextPageToken}
			for _, d := range found.Datasets {
				if d.DatasetReference != nil {
					out.Datasets = append(out.Datasets, dataset{ID: d.DatasetReference.DatasetId, Name: d.FriendlyName, Location: d.Location})
				}
			}
			return out, nil
		},
	}.Build()
}

func tablesTool() connector.Tool {
	return connector.Typed[tablesInput, tablesResult]{
		Tool: connector.Tool{
			Name: "BIGQUERY_LIST_TABLES", Title: "List tables", Class: automation.Read, Untrusted: true, Private: true,
			Description: "Lists the tables and views of a BigQuery dataset.", Scopes: canRead,
		},
		Bounds: ids("project", "dataset"),
		Call: func(ctx context.Context, s *connector.Session, _ connector.Call, in tablesInput) (tablesResult, error) {
			api, err := client(ctx, s)
			if err != nil {
				return tablesResult{}, err
			}
			found, err := api.Tables.List(in.Project, in.Dataset).Context(ctx).MaxResults(listed).PageToken(in.PageToken).Do()
			if err != nil {
				return tablesResult{}, failure(s, canRead, err)
			}
			out := tablesResult{Tables: []table{}, NextPageToken: found.NextPageToken}
			for _, t := range found.Tables {
				if t.TableReference != nil {
					out.Tables = append(out.Tables, table{ID: t.TableReference.TableId, Type: t.Type})
				}
			}
			return out, nil
		},
	}.Build()
}

// ids bounds names that become part of an address.
func ids(names ...string) func(map[string]*jsonschema.Schema) {
	return func(p map[string]*jsonschema.Schema) {
		for _, name := range names {
			p[name].MinLength, p[name].MaxLength = jsonschema.Ptr(1), jsonschema.Ptr(1024)
		}
	}
}

// column is a column of a table or a result.
type column struct {
	Name        string `json:"name" jsonschema:"with dots between a record and what it holds"`
	Type        string `json:"type"`
	Mode        string `json:"mode,omitempty" jsonschema:"REQUIRED or REPEATED; NULLABLE if it is missing"`
	Description string `json:"description,omitempty"`
}

const (
	mostColumns        = 500
	longestDescription = 300 // characters
)

// columns flattens a schema, as far as there is room.
func columns(in *bq.TableSchema) (out []column, cut bool) {
	out = []column{}
	if in == nil {
		return out, false
	}
	var add func(prefix string, fields []*bq.TableFieldSchema)
	add = func(prefix string, fields []*bq.TableFieldSchema) {
		for _, f := range fields {
			if len(out) == mostColumns {
				cut = true
				return
			}
			mode := f.Mode
			if mode == "NULLABLE" {
				mode = ""
			}
			out = append(out, column{Name: prefix + f.Name, Type: f.Type, Mode: mode, Description: short(f.Description)})
			add(prefix+f.Name+".", f.Fields)
		}
	}
	add("", in.Fields)
	return out, cut
}

func short(text string) string {
	characters := []rune(text)
	if len(characters) <= longestDescription {
		return text
	}
	return string(characters[:longestDescription]) + "…"
}
