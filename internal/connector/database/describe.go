package database

import (
	"encoding/json"
	"fmt"
)

// Limits of a description: it is for a model, which needs an overview first.
const (
	MostTables           = 200
	MostColumns          = 200 // of one table
	mostDescriptionBytes = 128 << 10
)

// Table is a table or view as a tool describes it.
type Table struct {
	Schema      string       `json:"schema" jsonschema:"the schema or database that it is in"`
	Name        string       `json:"name"`
	Kind        string       `json:"kind" jsonschema:"table, view, materialized view, partitioned table or foreign table"`
	Comment     string       `json:"comment,omitempty"`
	Rows        int64        `json:"row_estimate" jsonschema:"about how many rows; -1: not known"`
	Columns     []Column     `json:"columns"`
	PrimaryKey  []string     `json:"primary_key,omitempty" jsonschema:"its columns"`
	ForeignKeys []ForeignKey `json:"foreign_keys,omitempty"`
	Indexes     []string     `json:"indexes,omitempty" jsonschema:"their definitions; given where one table was asked for"`
}

// Column is one of a table.
type Column struct {
	Name     string `json:"name"`
	Type     string `json:"type" jsonschema:"in the words of the database"`
	Nullable bool   `json:"nullable"`
	Default  string `json:"default,omitempty" jsonschema:"the expression; given where one table was asked for"`
	Comment  string `json:"comment,omitempty"`
}

// ForeignKey says that columns hold a key of another table.
type ForeignKey struct {
	Columns    []string `json:"columns"`
	Table      string   `json:"table" jsonschema:"with its schema"`
	References []string `json:"references" jsonschema:"columns of that table"`
}

// Description is what a describing tool answers.
type Description struct {
	Tables    []Table `json:"tables"`
	Truncated bool    `json:"truncated" jsonschema:"true: there is more than this"`
	Note      string  `json:"note,omitempty" jsonschema:"why it was truncated, and what to do"`
}

// Describe bounds a description to MostTables and 128 KiB: what comes last is cut off.
func Describe(tables []Table) (Description, error) {
	d := Description{Tables: []Table{}}
	room := mostDescriptionBytes
	for _, t := range tables {
		if t.Columns == nil {
			t.Columns = []Column{}
		}
		if len(t.Columns) > MostColumns {
			t.Columns = t.Columns[:MostColumns]
			d.cut("only the first %d columns of a table are here", MostColumns)
		}
		doc, err := json.Marshal(t)
		if err != nil {
			return d, fmt.Errorf("describe table: %w", err)
		}
		if room -= len(doc) + 1; room < 0 || len(d.Tables) == MostTables {
			d.cut("there are more tables: ask for one by its name")
			break
		}
		d.Tables = append(d.Tables, t)
	}
	return d, nil
}

func (d *Description) cut(format string, args ...any) {
	d.Truncated, d.Note = true, fmt.Sprintf(format, args...)
}
