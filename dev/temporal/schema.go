package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"go.temporal.io/server/tools/common/schema"
	sqltool "go.temporal.io/server/tools/sql"
)

// applySchemas brings both databases to the version this server was built with. It may be repeated, also
// after it was cut off half-way.
func applySchemas(o options) error {
	for _, s := range []struct{ database, schema string }{
		{o.database, "postgresql/v12/temporal"},
		{o.visibility, "postgresql/v12/visibility"},
	} {
		if err := applySchema(o, s.database, s.schema); err != nil {
			return fmt.Errorf("update the schema of database %s: %w", s.database, err)
		}
	}
	return nil
}

func applySchema(o options, database, name string) error {
	logger := newLogger()
	conn, err := sqltool.NewConnection(sqlConfig(o, database), logger)
	if err != nil {
		return err
	}
	defer conn.Close()
	db := repeatable{conn}
	setup := &schema.SetupConfig{InitialVersion: "0.0"} // keeps a later version that it finds
	if err := schema.NewSetupSchemaTask(db, setup, logger).Run(); err != nil {
		return err
	}
	return schema.NewUpdateSchemaTask(db, &schema.UpdateConfig{SchemaName: name}, logger).Run()
}

// repeatable lets an update that was killed run again from its version's first statement. No transaction holds it
// together (some indexes are built concurrently), and the update task by itself passes over tables and indexes
// that exist already, but not over rows that do, nor over what is gone already: a server killed 0.3 s into its
// first start never started again.
type repeatable struct{ *sqltool.Connection }

// Exec implements schema.DB.
func (r repeatable) Exec(statement string, args ...any) error {
	err := r.Connection.Exec(statement, args...)
	if wasDone(statement, err) {
		return nil
	}
	return err
}

// wasDone reports that statement failed because it has been executed before.
func wasDone(statement string, err error) bool {
	answer, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return false
	}
	s := strings.ToUpper(strings.TrimSpace(statement))
	switch answer.Code {
	case "23505": // this key is there
		return strings.HasPrefix(s, "INSERT ")
	case "42704", "42P01", "42703": // no such index, table, column
		return strings.HasPrefix(s, "DROP ") || (strings.HasPrefix(s, "ALTER ") && strings.Contains(s, " DROP "))
	default:
		return false
	}
}
