-- name: LockIdempotencyKey :one
-- False while another request with the same key is still running.
SELECT pg_try_advisory_xact_lock(hashtextextended(@identity::text, 7)) AS locked;

-- name: GetIdempotencyKey :one
SELECT body_digest, status, response FROM idempotency_keys
WHERE owner = @owner AND route = @route AND key = @key AND expires_at > now();

-- name: PutIdempotencyKey :exec
INSERT INTO idempotency_keys (owner, route, key, body_digest, status, response, expires_at)
VALUES (@owner, @route, @key, @body_digest, @status, @response, now() + interval '24 hours')
ON CONFLICT (owner, route, key) DO UPDATE SET body_digest = EXCLUDED.body_digest, status = EXCLUDED.status,
    response = EXCLUDED.response, expires_at = EXCLUDED.expires_at;

-- name: DeleteExpiredIdempotencyKeys :execrows
DELETE FROM idempotency_keys WHERE expires_at < now();
