package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"steward/internal/connector"
)

// mightyRoles are PostgreSQL's own roles that reach files, programs, other sessions or all data past what was granted
// (documentation §22.5), and what hosts of PostgreSQL give instead of a superuser.
var mightyRoles = []string{
	"pg_write_all_data", "pg_execute_server_program", "pg_write_server_files", "pg_read_server_files", "pg_signal_backend", "pg_maintain",
	"pg_checkpoint", "pg_create_subscription", "pg_signal_autovacuum_worker",
	"rds_superuser", "rds_replication", "cloudsqlsuperuser", "azure_pg_admin", "alloydbsuperuser", "neon_superuser",
}

// mightSQL finds what makes a role too mighty: its own attributes, and those of roles that it could become.
const mightSQL = `SELECT CASE
	WHEN r.rolsuper THEN 'a superuser' WHEN r.rolreplication THEN 'one that may replicate' WHEN r.rolbypassrls THEN 'one that row security does not bind'
	WHEN r.rolcreaterole THEN 'one that may make roles' ELSE 'a member of ' || r.rolname END
FROM pg_catalog.pg_roles r
WHERE pg_catalog.pg_has_role(session_user, r.oid, 'MEMBER')
	AND (r.rolsuper OR r.rolreplication OR r.rolbypassrls OR r.rolcreaterole OR r.rolname = ANY ($1))
ORDER BY r.rolname <> session_user, r.rolsuper DESC LIMIT 1`

// judge looks at the account behind every new connection, so that one that was made mightier later is refused too.
func judge(ctx context.Context, conn *pgx.Conn, writes bool) error {
	var might string
	err := conn.QueryRow(ctx, mightSQL, pgx.QueryExecModeExec, mightyRoles).Scan(&might)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return &connector.Error{Answered: true, Reason: fmt.Sprintf("the account is %s, which is more than tools may use. %s", might, advice(conn.Config().Database, writes))}
}

// advice is how to make a role that may do no more than the tools.
func advice(database string, writes bool) string {
	purpose, role, rights, more := "only reads", "steward_reader", "SELECT", ""
	if writes {
		purpose, role, rights = "only reads and changes rows", "steward_writer", "SELECT, INSERT, UPDATE, DELETE"
		more = fmt.Sprintf(" GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO %s; %s; %s;", role, ledgerSQL, grantLedger(role))
	}
	return fmt.Sprintf("Make one that %s: CREATE ROLE %s LOGIN PASSWORD '...'; GRANT CONNECT ON DATABASE %s TO %s; "+
		"GRANT USAGE ON SCHEMA public TO %s; GRANT %s ON ALL TABLES IN SCHEMA public TO %s;%s",
		purpose, role, pgx.Identifier{database}.Sanitize(), role, role, rights, role, more)
}
