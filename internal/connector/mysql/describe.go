package mysql

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/connector/database"
)

// What is asked of information_schema. A table's name is compared with the second parameter where there is one.
const (
	tablesSQL = `SELECT table_schema, table_name, table_type, COALESCE(table_rows, -1), COALESCE(table_comment, '')
		FROM information_schema.tables WHERE table_schema = DATABASE() AND (? = '' OR table_name = ?) ORDER BY table_name LIMIT ?`
	columnsSQL = `SELECT table_name, column_name, column_type, is_nullable = 'YES', column_default, column_comment
		FROM information_schema.columns WHERE table_schema = DATABASE() AND (? = '' OR table_name = ?) ORDER BY table_name, ordinal_position LIMIT ?`
	keysSQL = `SELECT table_name, constraint_name, column_name, COALESCE(CONCAT(referenced_table_schema, '.', referenced_table_name), ''),
			COALESCE(referenced_column_name, '')
		FROM information_schema.key_column_usage
		WHERE table_schema = DATABASE() AND (constraint_name = 'PRIMARY' OR referenced_table_name IS NOT NULL) AND (? = '' OR table_name = ?)
		ORDER BY table_name, constraint_name, ordinal_position LIMIT ?`
	indexesSQL = `SELECT CONCAT(IF(MAX(non_unique) = 0, 'UNIQUE ', ''), index_name, ' (',
			GROUP_CONCAT(COALESCE(column_name, 'an expression') ORDER BY seq_in_index SEPARATOR ', '), ')')
		FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = ? GROUP BY index_name ORDER BY index_name LIMIT ?`
)

// mostRead bounds what is read of columns and of keys: a description has no room for more.
const mostRead = 5000

type describeInput struct {
	Table string `json:"table,omitempty" jsonschema:"the name of one table or view, for all that is known of it; all of them if empty"`
}

func describeTool() connector.Tool {
	return connector.Typed[describeInput, database.Description]{
		Tool: connector.Tool{
			Name: "DB_DESCRIBE", Title: "Describe {name}", Class: automation.Read, Untrusted: true, Private: true,
			Description: "Lists the tables and views of {name} with their columns and keys, or describes one of them with its defaults and indexes.",
		},
		Bounds: func(p map[string]*jsonschema.Schema) { p["table"].MaxLength = jsonschema.Ptr(64) },
		Call:   describe,
	}.Build()
}

func describe(ctx context.Context, s *connector.Session, _ connector.Call, in describeInput) (database.Description, error) {
	l, err := linkOf(s)
	if err != nil {
		return database.Description{}, err
	}
	var tables []database.Table
	err = l.read(ctx, func(ctx context.Context, conn *sql.Conn) (err error) {
		tables, err = tablesOf(ctx, conn, in.Table)
		return err
	})
	if err != nil {
		return database.Description{}, readFailure(err)
	}
	if in.Table != "" && len(tables) == 0 {
		return database.Description{}, &connector.Error{Answered: true, Reason: "there is no table or view of this name that the account may see"}
	}
	return database.Describe(tables)
}

func tablesOf(ctx context.Context, conn *sql.Conn, one string) ([]database.Table, error) {
	var out []database.Table
	at := map[string]int{}
	err := each(ctx, conn, tablesSQL, []any{one, one, database.MostTables + 1}, func(rows *sql.Rows) error {
		t := database.Table{}
		if err := rows.Scan(&t.Schema, &t.Name, &t.Kind, &t.Rows, &t.Comment); err != nil {
			return err
		}
		t.Kind = strings.ToLower(strings.TrimPrefix(t.Kind, "BASE "))
		if t.Kind == "view" {
			t.Comment, t.Rows = "", -1 // it says VIEW
		}
		at[t.Name], out = len(out), append(out, t)
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = each(ctx, conn, columnsSQL, []any{one, one, mostRead}, func(rows *sql.Rows) error {
		var table string
		var usual sql.NullString
		c := database.Column{}
		if err := rows.Scan(&table, &c.Name, &c.Type, &c.Nullable, &usual, &c.Comment); err != nil {
			return err
		}
		if one != "" {
			c.Default = usual.String
		}
		if i, ok := at[table]; ok {
			out[i].Columns = append(out[i].Columns, c)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := keysOf(ctx, conn, one, out, at); err != nil || one == "" || len(out) == 0 {
		return out, err
	}
	err = each(ctx, conn, indexesSQL, []any{one, mostRead}, func(rows *sql.Rows) error {
		out[0].Indexes = append(out[0].Indexes, "")
		return rows.Scan(&out[0].Indexes[len(out[0].Indexes)-1])
	})
	return out, err
}

// keysOf adds keys to the tables, of which at holds the places.
func keysOf(ctx context.Context, conn *sql.Conn, one string, tables []database.Table, at map[string]int) error {
	last := ""
	return each(ctx, conn, keysSQL, []any{one, one, mostRead}, func(rows *sql.Rows) error {
		var table, constraint, column, target, references string
		if err := rows.Scan(&table, &constraint, &column, &target, &references); err != nil {
			return err
		}
		i, ok := at[table]
		if !ok {
			return nil
		}
		t := &tables[i]
		if target == "" {
			t.PrimaryKey = append(t.PrimaryKey, column)
			return nil
		}
		if key := table + "\x00" + constraint; key != last {
			last = key
			t.ForeignKeys = append(t.ForeignKeys, database.ForeignKey{Table: target})
		}
		k := &t.ForeignKeys[len(t.ForeignKeys)-1]
		k.Columns, k.References = append(k.Columns, column), append(k.References, references)
		return nil
	})
}

// each calls take for every row of a query.
func each(ctx context.Context, conn *sql.Conn, query string, parameters []any, take func(*sql.Rows) error) error {
	rows, err := conn.QueryContext(ctx, query, parameters...)
	if err != nil {
		return fmt.Errorf("describe: %w", err)
	}
	defer func() { _ = rows.Close() }() // they were read, or are of no interest
	for rows.Next() {
		if err := take(rows); err != nil {
			return fmt.Errorf("describe: %w", err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("describe: %w", err)
	}
	return nil
}
