package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// fleetingSQL looks for a table that is named and has no transactions; :names becomes question marks.
const fleetingSQL = `SELECT t.table_name FROM information_schema.tables t LEFT JOIN information_schema.engines e ON e.engine = t.engine
	WHERE t.table_type = 'BASE TABLE' AND COALESCE(e.transactions, 'NO') <> 'YES'
		AND (t.table_schema = DATABASE() OR LOWER(t.table_schema) IN (:names)) AND LOWER(t.table_name) IN (:names) LIMIT 1`

// lasting refuses a statement that names a table without transactions, such as one of MyISAM: what is done to it is done
// at once and for good, whatever becomes of the ledger's row. Tables that only a trigger or a view names are not seen.
func lasting(ctx context.Context, conn *sql.Conn, statement []token) error {
	names := []any{callsTable}
	for _, t := range statement {
		if t.isName() && !slices.Contains(names, any(t.text)) {
			names = append(names, t.text)
		}
	}
	marks := strings.TrimSuffix(strings.Repeat("?,", len(names)), ",")
	var name string
	err := conn.QueryRowContext(ctx, strings.ReplaceAll(fleetingSQL, ":names", marks), append(names, names...)...).Scan(&name)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return fmt.Errorf("look for tables without transactions: %w", err)
	default:
		return refusal("the table " + name + " has no transactions (its engine is not InnoDB), so that a change could not be made exactly once")
	}
}
