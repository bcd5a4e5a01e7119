#!/bin/sh
# Run once by PostgreSQL's image, on an empty volume: the roles and databases of Steward and of Temporal. The
# migrator owns Steward's tables; steward has the rights on rows that the migrations grant to steward_app.
set -eu
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres --quiet \
  -v migrator="$STEWARD_MIGRATOR_PASSWORD" -v app="$STEWARD_DB_PASSWORD" -v temporal="$TEMPORAL_DB_PASSWORD" <<'SQL'
SET log_statement = 'none';
SET log_min_error_statement = 'panic'; -- a statement with a password stays out of the log, even when it fails
CREATE ROLE steward_app NOLOGIN;
CREATE ROLE steward_migrator LOGIN PASSWORD :'migrator';
CREATE ROLE steward LOGIN PASSWORD :'app' IN ROLE steward_app;
CREATE ROLE temporal LOGIN PASSWORD :'temporal';
CREATE DATABASE steward OWNER steward_migrator;
CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;
REVOKE CONNECT ON DATABASE steward, temporal, temporal_visibility FROM PUBLIC;
GRANT CONNECT ON DATABASE steward TO steward_app;
SQL
