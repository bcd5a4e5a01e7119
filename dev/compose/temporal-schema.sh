#!/bin/sh
# Run to its end before Temporal's server starts, on every start: creates or upgrades the schemas of its two
# databases. SQL_PASSWORD is read by the tool itself.
set -eu
migrate() {
  tool="temporal-sql-tool --plugin postgres12 --endpoint postgres --port 5432 --user temporal --database $1"
  $tool setup-schema --version 0.0
  $tool update-schema --schema-dir "/etc/temporal/schema/postgresql/v12/$2/versioned"
}
migrate temporal temporal
migrate temporal_visibility visibility
