package main

import (
	"fmt"

	"go.temporal.io/server/tools/common/schema"
	sqltool "go.temporal.io/server/tools/sql"
)

// applySchemas brings both databases to the version this server was built with. It may be repeated, also
// after it was cut off half-way: a statement whose object exists already is passed over.
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
	setup := &schema.SetupConfig{InitialVersion: "0.0"} // keeps a later version that it finds
	if err := schema.NewSetupSchemaTask(conn, setup, logger).Run(); err != nil {
		return err
	}
	return schema.NewUpdateSchemaTask(conn, &schema.UpdateConfig{SchemaName: name}, logger).Run()
}
