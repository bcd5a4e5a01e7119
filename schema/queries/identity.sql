-- name: CreateAPIKey :one
INSERT INTO api_keys (id, name, mac, role, tenants, scopes, created_by, expires_at)
VALUES (@id, @name, @mac, @role, @tenants, @scopes, @created_by, @expires_at)
RETURNING *;

-- name: GetAPIKey :one
SELECT * FROM api_keys WHERE id = @id;

-- name: ListAPIKeys :many
-- Newest first; there are few, so no pages.
SELECT * FROM api_keys ORDER BY created_at DESC, id;

-- name: TouchAPIKey :exec
-- At most one write a minute and key, however many processes ask for it.
UPDATE api_keys SET last_used_at = now()
WHERE id = @id AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute');

-- name: RevokeAPIKey :execrows
-- The first revocation keeps its time.
UPDATE api_keys SET revoked_at = COALESCE(revoked_at, now()) WHERE id = @id;

-- name: RevokeToken :exec
INSERT INTO revoked_tokens (jti, owner, expires_at) VALUES (@jti, @owner, @expires_at)
ON CONFLICT (jti) DO NOTHING;

-- name: IsTokenRevoked :one
SELECT EXISTS (SELECT 1 FROM revoked_tokens WHERE jti = @jti);

-- name: DeleteExpiredRevocations :execrows
-- A token is refused for its age from expires_at on; ten minutes more absorb leeway and clock skew.
DELETE FROM revoked_tokens WHERE expires_at < now() - interval '10 minutes';
