-- name: ListServerTools :many
SELECT * FROM server_tools WHERE server_id = @server_id ORDER BY position, name;

-- name: ListToolsOfServers :many
-- As last seen, for people who read the list while a server is away.
SELECT server_id, name, pin, definition, state FROM server_tools
WHERE server_id = ANY (sqlc.arg('ids')::bigint[]) AND NOT gone ORDER BY server_id, position, name;

-- name: GetServerTool :one
SELECT * FROM server_tools WHERE server_id = @server_id AND name = @name;

-- name: PutServerTool :exec
INSERT INTO server_tools (server_id, name, pin, definition, position, state, approved_pin, approved_definition)
VALUES (@server_id, @name, @pin, @definition, @position, @state, @approved_pin, sqlc.narg('approved_definition'))
ON CONFLICT (server_id, name) DO UPDATE SET pin = EXCLUDED.pin, definition = EXCLUDED.definition, position = EXCLUDED.position,
    state = EXCLUDED.state, gone = false, fetched_at = now();

-- name: MarkToolsGone :exec
UPDATE server_tools SET gone = true WHERE server_id = @server_id AND NOT (name = ANY (sqlc.arg('offered')::text[]));

-- name: ReviewServerTool :exec
UPDATE server_tools SET state = @state, approved_pin = @approved_pin, approved_definition = sqlc.narg('approved_definition'),
    reviewed_by = @reviewed_by, reviewed_at = now()
WHERE server_id = @server_id AND name = @name;

-- name: DeleteServerTools :exec
DELETE FROM server_tools WHERE server_id = @server_id;

-- name: ListOverrides :many
SELECT * FROM tool_overrides WHERE server_id = @server_id;

-- name: PutOverride :exec
INSERT INTO tool_overrides (server_id, tool, read_only, destructive, idempotent, open_world, enabled, timeout_ms, updated_by)
VALUES (@server_id, @tool, sqlc.narg('read_only'), sqlc.narg('destructive'), sqlc.narg('idempotent'), sqlc.narg('open_world'), @enabled,
    @timeout_ms, @updated_by)
ON CONFLICT (server_id, tool) DO UPDATE SET read_only = EXCLUDED.read_only, destructive = EXCLUDED.destructive,
    idempotent = EXCLUDED.idempotent, open_world = EXCLUDED.open_world, enabled = EXCLUDED.enabled, timeout_ms = EXCLUDED.timeout_ms,
    updated_by = EXCLUDED.updated_by, updated_at = now();

-- name: PutServerStatus :exec
-- The newest word counts; that of settings long changed does not.
INSERT INTO server_status (owner, server_id, state, version, error, logs)
SELECT sqlc.arg('owner')::text, s.id, sqlc.arg('state')::text, s.version, sqlc.arg('error')::text, sqlc.arg('logs')::text[]
FROM mcp_servers s WHERE s.id = @server_id AND s.version = @version
ON CONFLICT (server_id, owner) DO UPDATE SET state = EXCLUDED.state, version = EXCLUDED.version, error = EXCLUDED.error,
    logs = EXCLUDED.logs, at = now();

-- name: ListServerStatus :many
SELECT st.server_id, st.state, st.error, st.logs, st.at FROM server_status st JOIN mcp_servers s ON s.id = st.server_id
WHERE st.owner = @owner AND st.server_id = ANY (sqlc.arg('ids')::bigint[]) AND st.version = s.version AND s.enabled;

-- name: ListServerSessions :many
-- Those that may be gone on with, the one used last before the others. Which of them are in use tells a lock alone.
SELECT id FROM server_sessions WHERE owner = @owner AND server_id = @server_id AND version = @version
ORDER BY updated_at DESC, id DESC LIMIT 100;

-- name: GetServerSession :one
SELECT session_sealed FROM server_sessions WHERE id = @id;

-- name: AddServerSession :one
WITH outdated AS (
    DELETE FROM server_sessions WHERE owner = @owner AND server_id = @server_id AND version < @version
)
INSERT INTO server_sessions (owner, server_id, version, session_sealed) VALUES (@owner, @server_id, @version, @session_sealed)
RETURNING id;

-- name: TouchServerSession :exec
UPDATE server_sessions SET updated_at = now() WHERE id = @id;

-- name: DeleteServerSession :exec
DELETE FROM server_sessions WHERE id = @id;
