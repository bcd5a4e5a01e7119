-- name: ListServersForUser :many
-- An admin's servers (owner NULL) and the user's own.
SELECT * FROM mcp_servers WHERE (owner IS NULL OR owner = sqlc.arg('owner')::text) AND enabled ORDER BY id;

-- name: GetServersForUser :many
SELECT * FROM mcp_servers
WHERE id = ANY (sqlc.arg('ids')::bigint[]) AND (owner IS NULL OR owner = sqlc.arg('owner')::text) ORDER BY id;

-- name: GetServer :one
SELECT * FROM mcp_servers WHERE id = @id AND (owner IS NULL OR owner = sqlc.arg('owner')::text);

-- name: PutServer :one
-- Registers or updates an admin's server; a change bumps the version and with it every pooled session's key.
INSERT INTO mcp_servers (id, name, description, transport, command, args, env_sealed, url, headers_sealed, trusted, auth_provider)
VALUES (@id, @name, @description, @transport, @command, @args, @env_sealed, @url, @headers_sealed, @trusted, @auth_provider)
ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name, description = EXCLUDED.description, transport = EXCLUDED.transport,
    command = EXCLUDED.command, args = EXCLUDED.args, env_sealed = EXCLUDED.env_sealed, url = EXCLUDED.url,
    headers_sealed = EXCLUDED.headers_sealed, trusted = EXCLUDED.trusted, auth_provider = EXCLUDED.auth_provider,
    version = mcp_servers.version + 1, updated_at = now()
RETURNING *;

-- name: InsertServer :one
INSERT INTO mcp_servers (owner, name, description, transport, command, args, env_sealed, url, headers_sealed, trusted)
VALUES (@owner, @name, @description, @transport, @command, @args, @env_sealed, @url, @headers_sealed, @trusted)
RETURNING *;

-- name: SetServerEra :exec
UPDATE mcp_servers SET era = @era, protocol_version = @protocol_version, server_info = @server_info
WHERE id = @id AND version = @version;

-- name: DeleteServerTools :exec
DELETE FROM server_tools WHERE server_id = @server_id AND NOT (name = ANY (sqlc.arg('keep')::text[]));

-- name: PutServerTool :exec
INSERT INTO server_tools (server_id, name, pin, definition, position) VALUES (@server_id, @name, @pin, @definition, @position)
ON CONFLICT (server_id, name) DO UPDATE SET pin = EXCLUDED.pin, definition = EXCLUDED.definition,
    position = EXCLUDED.position, fetched_at = now()
WHERE server_tools.pin <> EXCLUDED.pin OR server_tools.position <> EXCLUDED.position;

-- name: SkipServerIDs :exec
-- A server registered under a chosen id must not meet the next generated one.
SELECT setval(pg_get_serial_sequence('mcp_servers', 'id'), (SELECT max(id) FROM mcp_servers));
