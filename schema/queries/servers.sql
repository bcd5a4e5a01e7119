-- name: ListServersForUser :many
-- An admin's servers (owner NULL) and the user's own.
SELECT * FROM mcp_servers WHERE (owner IS NULL OR owner = sqlc.arg('owner')::text) AND enabled ORDER BY id;

-- name: ListVisibleServers :many
-- The same, disabled ones included.
SELECT * FROM mcp_servers WHERE owner IS NULL OR owner = sqlc.arg('owner')::text ORDER BY id;

-- name: GetServersForUser :many
SELECT * FROM mcp_servers
WHERE id = ANY (sqlc.arg('ids')::bigint[]) AND (owner IS NULL OR owner = sqlc.arg('owner')::text) ORDER BY id;

-- name: GetServer :one
SELECT * FROM mcp_servers WHERE id = @id AND (owner IS NULL OR owner = sqlc.arg('owner')::text);

-- name: ReadServer :one
-- For the memory of a process, which knows whose it is.
SELECT * FROM mcp_servers WHERE id = @id;

-- name: LockServer :one
-- Whoever changes a server, or what is known of its tools, holds its row.
SELECT * FROM mcp_servers WHERE id = @id FOR NO KEY UPDATE;

-- name: PutServer :one
-- Registers or updates an admin's server under a number of the caller's; a change bumps the version and with it every
-- pooled session's key.
INSERT INTO mcp_servers (id, name, description, transport, command, args, env_sealed, url, headers_sealed, env_schema, header_schema, trusted,
    auth_provider)
VALUES (@id, @name, @description, @transport, @command, @args, @env_sealed, @url, @headers_sealed, @env_schema, @header_schema, @trusted,
    @auth_provider)
ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name, description = EXCLUDED.description, transport = EXCLUDED.transport,
    command = EXCLUDED.command, args = EXCLUDED.args, env_sealed = EXCLUDED.env_sealed, url = EXCLUDED.url,
    headers_sealed = EXCLUDED.headers_sealed, env_schema = EXCLUDED.env_schema, header_schema = EXCLUDED.header_schema,
    trusted = EXCLUDED.trusted, auth_provider = EXCLUDED.auth_provider,
    version = mcp_servers.version + 1, updated_at = now()
RETURNING *;

-- name: LockOwnServers :exec
-- One server of an owner is added at a time: they are counted first.
SELECT pg_advisory_xact_lock(hashtextextended(sqlc.arg('owner')::text, 8));

-- name: InsertServer :one
INSERT INTO mcp_servers (owner, name, title, description, website_url, release, tags, transport, command, args, image, env_sealed, url,
    headers_sealed, env_schema, header_schema, reconnect, timeout_ms, trusted, auth_provider, enabled, manifest)
VALUES (@owner, @name, @title, @description, @website_url, @release, @tags, @transport, @command, @args, @image, @env_sealed, @url,
    @headers_sealed, @env_schema, @header_schema, @reconnect, @timeout_ms, @trusted, @auth_provider, @enabled, @manifest)
RETURNING *;

-- name: UpdateServer :one
-- Under LockServer. Unless what a session is opened with stays as it was, what was negotiated before holds no more.
UPDATE mcp_servers SET title = @title, description = @description, website_url = @website_url, release = @release, tags = @tags,
    transport = @transport, command = @command, args = @args, image = @image, env_sealed = @env_sealed, url = @url,
    headers_sealed = @headers_sealed, env_schema = @env_schema, header_schema = @header_schema, reconnect = @reconnect,
    timeout_ms = @timeout_ms, trusted = @trusted, auth_provider = @auth_provider, enabled = @enabled, manifest = @manifest,
    era = CASE WHEN @sessions_stay::boolean THEN era ELSE '' END,
    protocol_version = CASE WHEN @sessions_stay THEN protocol_version ELSE '' END,
    server_info = CASE WHEN @sessions_stay THEN server_info ELSE '{}' END,
    wire = CASE WHEN @sessions_stay THEN wire ELSE '' END,
    version = CASE WHEN @sessions_stay THEN version ELSE version + 1 END, updated_at = clock_timestamp()
WHERE id = @id
RETURNING *;

-- name: DeleteServer :exec
DELETE FROM mcp_servers WHERE id = @id;

-- name: PackageOfServer :one
SELECT name FROM packages WHERE server_id = sqlc.arg('server_id')::bigint;

-- name: SetServerSeen :execrows
UPDATE mcp_servers SET era = @era, protocol_version = @protocol_version, server_info = @server_info, wire = @wire
WHERE id = @id AND version = @version
    AND (era, protocol_version, server_info::text, wire) IS DISTINCT FROM (@era, @protocol_version, sqlc.arg('server_info')::json::text, @wire);

-- name: SkipServerIDs :exec
-- A server registered under a chosen id must not meet the next generated one.
SELECT setval(pg_get_serial_sequence('mcp_servers', 'id'), (SELECT max(id) FROM mcp_servers));

-- name: ForgetServerCredentials :execrows
-- What users have saved for a server is for where it was then (security.md T-16). Its provider is 'mcp/<id>'.
DELETE FROM credentials WHERE provider = 'mcp/' || sqlc.arg('server_id')::bigint::text;

-- name: ForgetServerFlows :exec
DELETE FROM oauth_flows WHERE provider = 'mcp/' || sqlc.arg('server_id')::bigint::text;

-- name: ForgetServerAuthority :exec
DELETE FROM server_authorities WHERE server_id = @server_id;

-- name: ForgetServerSecrets :execrows
DELETE FROM user_secrets WHERE server_id = @server_id;

-- name: ForgetServerSessions :exec
DELETE FROM server_sessions WHERE server_id = @server_id;

-- name: ListServerVersions :many
SELECT id, version FROM mcp_servers;

-- name: PublishedPackage :one
SELECT name, runtime, version FROM packages WHERE server_id = sqlc.arg('server_id')::bigint;
