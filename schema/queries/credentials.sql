-- name: GetCredential :one
SELECT * FROM credentials WHERE owner = @owner AND provider = @provider;

-- name: LockCredential :one
-- Whoever asks the provider about a credential holds its row meanwhile (oauth.Service.locked).
SELECT * FROM credentials WHERE owner = @owner AND provider = @provider FOR UPDATE;

-- name: BoundIdleTransaction :exec
-- A process that freezes while it holds a row loses it.
SET LOCAL idle_in_transaction_session_timeout = '30s';

-- name: PutCredential :one
INSERT INTO credentials (owner, provider, subject, account, scopes, access_sealed, refresh_sealed, expires_at)
VALUES (@owner, @provider, @subject, @account, @scopes, @access_sealed, sqlc.narg('refresh_sealed'), @expires_at)
ON CONFLICT (owner, provider) DO UPDATE SET subject = EXCLUDED.subject, account = EXCLUDED.account,
    scopes = EXCLUDED.scopes, access_sealed = EXCLUDED.access_sealed, refresh_sealed = EXCLUDED.refresh_sealed,
    expires_at = EXCLUDED.expires_at, state = 'active', reason = '', version = nextval('credential_versions'),
    updated_at = now()
RETURNING *;

-- name: RefreshCredential :one
-- Under LockCredential, so that nobody else's tokens are overwritten.
UPDATE credentials SET access_sealed = @access_sealed, refresh_sealed = @refresh_sealed, scopes = @scopes,
    expires_at = @expires_at, version = nextval('credential_versions'), refreshed_at = now(), updated_at = now()
WHERE id = @id
RETURNING *;

-- name: EndCredential :exec
-- The version stays: runs that wait do so for a later one.
UPDATE credentials SET state = 'needs_reconnect', reason = @reason, updated_at = now() WHERE id = @id;

-- name: DeleteCredential :exec
DELETE FROM credentials WHERE id = @id;

-- name: BeginFlow :one
INSERT INTO oauth_flows (state_digest, browser_digest, purpose, owner, provider, verifier_sealed, nonce, scopes,
    redirect_url, connector, expires_at)
VALUES (@state_digest, @browser_digest, @purpose, @owner, @provider, @verifier_sealed, @nonce, @scopes,
    @redirect_url, @connector, now() + @lifetime::interval)
RETURNING expires_at;

-- name: UseFlow :one
-- A state works once, whatever becomes of it.
UPDATE oauth_flows SET used_at = now()
WHERE state_digest = @state_digest AND provider = @provider AND used_at IS NULL AND expires_at > now()
RETURNING *;

-- name: UseLink :execrows
INSERT INTO oauth_links (id, expires_at) VALUES (@id, @expires_at) ON CONFLICT (id) DO NOTHING;

-- name: DeleteExpiredFlows :execrows
DELETE FROM oauth_flows WHERE expires_at < now() - interval '1 hour';

-- name: DeleteExpiredLinks :execrows
-- The hour absorbs clocks that differ: a link's age is judged by the process that opens it.
DELETE FROM oauth_links WHERE expires_at < now() - interval '1 hour';
