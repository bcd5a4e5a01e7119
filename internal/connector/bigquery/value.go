package bigquery

import (
	"fmt"
	"strconv"
	"time"

	bq "google.golang.org/api/bigquery/v2"

	"steward/internal/connector/database"
)

// read turns BigQuery's rows of cells into an answer.
func read(found *bq.GetQueryResultsResponse, most int) (*database.Rows, error) {
	var fields []*bq.TableFieldSchema
	if found.Schema != nil {
		fields = found.Schema.Fields
	}
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	rows := database.NewRows(names, most)
	for _, row := range found.Rows {
		if row == nil || len(row.F) != len(fields) {
			return nil, fmt.Errorf("a row has not its %d cells", len(fields))
		}
		values := make([]any, len(fields))
		for i, cell := range row.F {
			if cell != nil {
				values[i] = value(fields[i], cell.V)
			}
		}
		if more, err := rows.Add(values); err != nil || !more {
			return rows, err
		}
	}
	return rows, nil
}

// value is a cell as JSON says it best: numbers that a double holds as numbers, times in RFC 3339, all else as
// BigQuery writes it. Lists and records are within objects of one letter.
func value(field *bq.TableFieldSchema, cell any) any {
	if field.Mode == "REPEATED" {
		list, _ := cell.([]any)
		out := make([]any, 0, len(list))
		one := *field
		one.Mode = ""
		for _, item := range list {
			out = append(out, value(&one, member(item, "v")))
		}
		return out
	}
	if field.Type == "RECORD" || field.Type == "STRUCT" {
		return record(field, cell)
	}
	text, ok := cell.(string)
	if !ok {
		return cell
	}
	return scalar(field.Type, text)
}

func record(field *bq.TableFieldSchema, cell any) any {
	cells, ok := member(cell, "f").([]any)
	if !ok {
		return nil
	}
	out := make(map[string]any, len(field.Fields))
	for i, f := range field.Fields {
		if i < len(cells) {
			out[f.Name] = value(f, member(cells[i], "v"))
		}
	}
	return out
}

func member(object any, name string) any {
	m, _ := object.(map[string]any)
	return m[name]
}

func scalar(kind, text string) any {
	switch kind {
	case "INTEGER", "INT64":
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return database.Plain(n)
		}
	case "FLOAT", "FLOAT64":
		if f, err := strconv.ParseFloat(text, 64); err == nil {
			return database.Plain(f)
		}
	case "BOOLEAN", "BOOL":
		if b, err := strconv.ParseBool(text); err == nil {
			return b
		}
	case "TIMESTAMP": // microseconds, as we have asked for
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return time.UnixMicro(n).UTC().Format(time.RFC3339Nano)
		}
	}
	return text
}
