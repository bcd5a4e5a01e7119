package rotation

import (
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"steward/internal/secret"
)

// column holds sealed values.
type column struct {
	table string
	key   []string // the table's primary key
	name  string
}

// sealedColumns is the list of all of them: a new one is a line here, or a test fails.
func sealedColumns() []column {
	return []column{
		{"mcp_servers", []string{"id"}, "env_sealed"},
		{"mcp_servers", []string{"id"}, "headers_sealed"},
		{"credentials", []string{"id"}, "access_sealed"},
		{"credentials", []string{"id"}, "refresh_sealed"},
		{"oauth_flows", []string{"state_digest"}, "verifier_sealed"},
		{"oauth_clients", []string{"id"}, "secret_sealed"},
		{"user_secrets", []string{"id"}, "value_sealed"},
		{"user_secret_sets", []string{"owner", "server_id"}, "salt_sealed"},
		{"server_sessions", []string{"id"}, "session_sealed"},
		{"connections", []string{"id"}, "settings_sealed"},
		{"packages", []string{"id"}, "settings_sealed"},
		{"direct_calls", []string{"id"}, "arguments_sealed"},
		{"direct_calls", []string{"id"}, "result_sealed"},
		{"automation_runs", []string{"id"}, "instructions_sealed"},
		{"automation_runs", []string{"id"}, "output_sealed"},
		{"run_steps", []string{"run_id", "step", "temporal_run_id"}, "items_sealed"},
		{"run_compactions", []string{"run_id", "step", "temporal_run_id"}, "items_sealed"},
		{"tool_calls", []string{"id"}, "arguments_sealed"},
		{"tool_calls", []string{"id"}, "result_sealed"},
		{"tool_calls", []string{"id"}, "round_sealed"},
		{"decisions", []string{"id"}, "new_arguments_sealed"},
		{"decisions", []string{"id"}, "question_sealed"},
		{"decisions", []string{"id"}, "answer_sealed"},
	}
}

// String is table.column.
func (c column) String() string { return c.table + "." + c.name }

// The statements of a column. sqlc cannot take names as arguments; these come from the list above and from
// nowhere else.

// count groups the values by the mark in front of them, which PostgreSQL reads without fetching the rest.
func (c column) count() string {
	return c.fill(`SELECT CASE WHEN substring({column} FOR 3) = 'k1.' THEN substring({column} FOR {mark}) ELSE '' END AS mark, count(*)
		FROM {table} WHERE {column} IS NOT NULL GROUP BY 1`)
}

// stale finds keys and sizes of values that do not carry mark $1, in the order of the key from behind $2… on.
func (c column) stale(behind bool) string {
	where := ""
	if behind {
		where = " AND ({key}) > (" + c.parameters(2) + ")"
	}
	return c.fill(`SELECT {key}, octet_length({column}) FROM {table}
		WHERE {column} IS NOT NULL AND substring({column} FOR {mark}) <> $1` + where + fmt.Sprintf(" ORDER BY {key} LIMIT %d", batch))
}

// lock takes the stale values from key $2… to key $n… for an update. Rows that others are writing are left
// for later, so that nobody ever waits for a lock while holding one.
func (c column) lock() string {
	return c.fill(`SELECT {key}, {column} FROM {table}
		WHERE {column} IS NOT NULL AND substring({column} FOR {mark}) <> $1
			AND ({key}) >= (` + c.parameters(2) + `) AND ({key}) <= (` + c.parameters(2+len(c.key)) + `)
		ORDER BY {key} FOR NO KEY UPDATE SKIP LOCKED`)
}

// update replaces the value of one row.
func (c column) update() string {
	return c.fill(`UPDATE {table} SET {column} = $1 WHERE ({key}) = (` + c.parameters(2) + `)`)
}

func (c column) fill(statement string) string {
	names := make([]string, len(c.key))
	for i, name := range c.key {
		names[i] = pgx.Identifier{name}.Sanitize()
	}
	return strings.NewReplacer(
		"{table}", pgx.Identifier{c.table}.Sanitize(), "{column}", pgx.Identifier{c.name}.Sanitize(),
		"{key}", strings.Join(names, ", "), "{mark}", fmt.Sprint(secret.MarkBytes),
	).Replace(statement)
}

// parameters is "$from, …", one for each column of the key.
func (c column) parameters(from int) string {
	names := make([]string, len(c.key))
	for i := range names {
		names[i] = fmt.Sprintf("$%d", from+i)
	}
	return strings.Join(names, ", ")
}
