package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"steward/internal/secret"
)

// Role is a role of the cluster.
type Role struct {
	Name       string
	Password   secret.String // zero: the role cannot log in
	CreateRole bool
	MemberOf   []string
}

// EnsureRole makes the role, or gives an existing one this password, these rights and these memberships.
func (s *Server) EnsureRole(ctx context.Context, role Role) error {
	err := s.asAdmin(ctx, func(conn *pgx.Conn) error {
		name := pgx.Identifier{role.Name}.Sanitize()
		var exists bool
		if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", role.Name).Scan(&exists); err != nil {
			return err
		}
		verb := "CREATE ROLE "
		if exists {
			verb = "ALTER ROLE "
		}
		if _, err := conn.Exec(ctx, verb+name+role.options()); err != nil {
			return err
		}
		for _, group := range role.MemberOf {
			if _, err := conn.Exec(ctx, "GRANT "+pgx.Identifier{group}.Sanitize()+" TO "+name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("ensure role %s: %w", role.Name, err)
	}
	return nil
}

// options is the tail of CREATE ROLE or ALTER ROLE, which take no parameters.
func (r Role) options() string {
	options := " NOLOGIN"
	if !r.Password.IsZero() {
		options = " LOGIN PASSWORD '" + strings.ReplaceAll(r.Password.Reveal(), "'", "''") + "'"
	}
	if r.CreateRole {
		return options + " CREATEROLE"
	}
	return options + " NOCREATEROLE"
}

// EnsureDatabase makes the database when it is missing. Only its owner and the guests may connect to it.
func (s *Server) EnsureDatabase(ctx context.Context, name, owner string, guests ...string) error {
	err := s.asAdmin(ctx, func(conn *pgx.Conn) error {
		var exists bool
		if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&exists); err != nil {
			return err
		}
		database := pgx.Identifier{name}.Sanitize()
		var statements []string
		if !exists {
			statements = append(statements, "CREATE DATABASE "+database+" OWNER "+pgx.Identifier{owner}.Sanitize())
		}
		statements = append(statements, "REVOKE CONNECT ON DATABASE "+database+" FROM PUBLIC")
		for _, guest := range guests {
			statements = append(statements, "GRANT CONNECT ON DATABASE "+database+" TO "+pgx.Identifier{guest}.Sanitize())
		}
		for _, statement := range statements {
			if _, err := conn.Exec(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("ensure database %s: %w", name, err)
	}
	return nil
}

// asAdmin runs work on a connection of the superuser.
func (s *Server) asAdmin(ctx context.Context, work func(*pgx.Conn) error) error {
	config, err := pgx.ParseConfig(s.AdminURL("postgres").Reveal())
	if err != nil {
		return errors.New("the superuser's address cannot be parsed") // without the address, which has the password
	}
	// A statement that sets a password must not reach the server's log, not even when it fails.
	config.RuntimeParams["log_statement"] = "none"
	config.RuntimeParams["log_min_error_statement"] = "panic"
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	return errors.Join(work(conn), conn.Close(ctx))
}
