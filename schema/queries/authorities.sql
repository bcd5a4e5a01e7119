-- name: GetAuthority :one
-- Of a server that owner may call, unless its URL has changed since.
SELECT sqlc.embed(a), s.name AS server_name
FROM server_authorities a JOIN mcp_servers s ON s.id = a.server_id AND s.url = a.url
WHERE a.server_id = @server_id AND (s.owner IS NULL OR s.owner = sqlc.arg('owner')::text);

-- name: GetResource :one
-- A server that owner may call, and where its challenge said its metadata are.
SELECT s.name, s.url, COALESCE(a.metadata_url, '')::text AS metadata_url
FROM mcp_servers s LEFT JOIN server_authorities a ON a.server_id = s.id AND a.url = s.url
WHERE s.id = @id AND s.transport <> 'stdio' AND (s.owner IS NULL OR s.owner = sqlc.arg('owner')::text);

-- name: PutAuthority :execrows
-- Nothing if the server's URL is another one by now.
INSERT INTO server_authorities (server_id, url, resource, metadata_url, issuer, metadata, scopes)
SELECT s.id, s.url, @resource, @metadata_url, @issuer, @metadata, @scopes FROM mcp_servers s WHERE s.id = @server_id AND s.url = @url
ON CONFLICT (server_id) DO UPDATE SET url = EXCLUDED.url, resource = EXCLUDED.resource, metadata_url = EXCLUDED.metadata_url,
    issuer = EXCLUDED.issuer, metadata = EXCLUDED.metadata, scopes = EXCLUDED.scopes, discovered_at = now();

-- name: SetServerProvider :execrows
-- A server that wants tokens and has no provider yet gets its own. Its version grows: sessions without token are of no use.
UPDATE mcp_servers SET auth_provider = 'mcp/' || id, version = version + 1, updated_at = now()
WHERE id = @id AND auth_provider = '';

-- name: GetOAuthClient :one
-- One's own registration before everybody's.
SELECT * FROM oauth_clients WHERE issuer = @issuer AND owner IN (@owner, '') ORDER BY owner DESC LIMIT 1;

-- name: PutOAuthClient :one
-- Only over the registration that the caller has seen, if any: of two that register at once, the first one counts.
INSERT INTO oauth_clients (issuer, owner, kind, client_id, secret_sealed, auth_method, redirect_url, expires_at)
VALUES (@issuer, @owner, @kind, @client_id, sqlc.narg('secret_sealed'), @auth_method, @redirect_url, sqlc.narg('expires_at'))
ON CONFLICT (issuer, owner) DO UPDATE SET kind = EXCLUDED.kind, client_id = EXCLUDED.client_id, secret_sealed = EXCLUDED.secret_sealed,
    auth_method = EXCLUDED.auth_method, redirect_url = EXCLUDED.redirect_url, expires_at = EXCLUDED.expires_at, updated_at = now()
WHERE oauth_clients.client_id = @replaces::text
RETURNING *;

-- name: DeleteOAuthClient :exec
-- A registration of our own that its issuer knows no more.
DELETE FROM oauth_clients WHERE issuer = @issuer AND client_id = @client_id AND kind = 'registered';

-- name: FindOAuthClient :one
SELECT * FROM oauth_clients WHERE issuer = @issuer AND owner IN (@owner, '') AND client_id = @client_id ORDER BY owner DESC LIMIT 1;
