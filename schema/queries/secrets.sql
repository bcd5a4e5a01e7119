-- name: OpenSecretSet :one
-- Locks the owner's set for a server until the transaction ends, making it if there is none, and gives it the next
-- version. The salt is that of the set, which is the given one only if the set is new.
-- No row: no such server, or not one of the owner's.
INSERT INTO user_secret_sets (owner, server_id, salt_sealed)
SELECT @owner, m.id, @salt_sealed FROM mcp_servers m
WHERE m.id = @server_id AND (m.owner IS NULL OR m.owner = @owner) FOR KEY SHARE
ON CONFLICT (owner, server_id) DO UPDATE SET version = user_secret_sets.version + 1
RETURNING version, salt_sealed;

-- name: PutSecret :exec
INSERT INTO user_secrets (owner, server_id, name, value_sealed, fingerprint)
VALUES (@owner, @server_id, @name, @value_sealed, @fingerprint)
ON CONFLICT (owner, server_id, name) DO UPDATE SET value_sealed = EXCLUDED.value_sealed,
    fingerprint = EXCLUDED.fingerprint, updated_at = now(), last_used_at = NULL;

-- name: CountSecrets :one
-- How many others than the named one are in the set.
SELECT count(*) FROM user_secrets WHERE owner = @owner AND server_id = @server_id AND name <> @name;

-- name: DeleteSecret :execrows
DELETE FROM user_secrets WHERE owner = @owner AND server_id = @server_id AND name = @name;

-- name: RaiseSecretSet :one
UPDATE user_secret_sets SET version = version + 1 WHERE owner = @owner AND server_id = @server_id RETURNING version;

-- name: GetSecrets :many
-- One statement, so that version and values belong together. An empty set is one row without a name.
SELECT s.version, u.name, u.value_sealed
FROM user_secret_sets s LEFT JOIN user_secrets u ON u.owner = s.owner AND u.server_id = s.server_id
WHERE s.owner = @owner AND s.server_id = @server_id;

-- name: ListSecrets :many
SELECT u.server_id, m.name AS server_name, u.name, u.fingerprint, u.updated_at, u.last_used_at
FROM user_secrets u JOIN mcp_servers m ON m.id = u.server_id
WHERE u.owner = @owner ORDER BY m.name, u.server_id, u.name;

-- name: NoteSecretsUsed :exec
UPDATE user_secrets u SET last_used_at = greatest(u.last_used_at, used.at)
FROM (SELECT unnest(sqlc.arg('owners')::text[]) AS owner, unnest(sqlc.arg('servers')::bigint[]) AS server_id,
             unnest(sqlc.arg('names')::text[]) AS name, unnest(sqlc.arg('times')::timestamptz[]) AS at) used
WHERE u.owner = used.owner AND u.server_id = used.server_id AND u.name = used.name;
