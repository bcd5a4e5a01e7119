-- name: GetCredential :one
SELECT * FROM credentials WHERE owner = @owner AND provider = @provider;

-- name: LockCredential :one
-- Whoever asks the provider about a credential holds its row meanwhile (oauth.Service.locked).
SELECT * FROM credentials WHERE owner = @owner AND provider = @provider FOR UPDATE;

-- name: BoundIdleTransaction :exec
-- A process that freezes while it holds a row loses it.
SET LOCAL idle_in_transaction_session_timeout = '30s';

-- name: PutCredential :one
INSERT INTO credentials (owner, provider, subject, account, scopes, issuer, client_id, resource, access_sealed, refresh_sealed, expires_at)
VALUES (@owner, @provider, @subject, @account, @scopes, @issuer, @client_id, @resource, @access_sealed, sqlc.narg('refresh_sealed'), @expires_at)
ON CONFLICT (owner, provider) DO UPDATE SET subject = EXCLUDED.subject, account = EXCLUDED.account,
    scopes = EXCLUDED.scopes, issuer = EXCLUDED.issuer, client_id = EXCLUDED.client_id, resource = EXCLUDED.resource, access_sealed = EXCLUDED.access_sealed, refresh_sealed = EXCLUDED.refresh_sealed,
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
INSERT INTO oauth_flows (state_digest, browser_digest, purpose, owner, provider, issuer, resource, verifier_sealed, nonce, scopes,
    redirect_url, connector, expires_at)
VALUES (@state_digest, @browser_digest, @purpose, @owner, @provider, @issuer, @resource, @verifier_sealed, @nonce, @scopes,
    @redirect_url, @connector, now() + @lifetime::interval)
RETURNING expires_at;

-- name: UseFlow :one
-- A state works once, whatever becomes of it. All remote servers share one callback: of 'mcp/7' it knows 'mcp'.
UPDATE oauth_flows SET used_at = now()
WHERE state_digest = @state_digest AND split_part(provider, '/', 1) = @family::text AND used_at IS NULL AND expires_at > now()
RETURNING *;

-- name: UseLink :execrows
INSERT INTO oauth_links (id, expires_at) VALUES (@id, @expires_at) ON CONFLICT (id) DO NOTHING;

-- name: DeleteExpiredFlows :execrows
DELETE FROM oauth_flows WHERE expires_at < now() - interval '1 hour';

-- name: DeleteExpiredLinks :execrows
-- The hour absorbs clocks that differ: a link's age is judged by the process that opens it.
DELETE FROM oauth_links WHERE expires_at < now() - interval '1 hour';

-- name: BeginRefresh :exec
-- In a transaction of its own, while another one of the same process holds the credential. Trying again does not
-- make it younger.
INSERT INTO credential_refreshes AS r (credential_id, version) VALUES (@credential_id, @version)
ON CONFLICT (credential_id) DO UPDATE SET version = EXCLUDED.version,
    started_at = CASE WHEN r.version = EXCLUDED.version AND r.started_at > now() - interval '5 minutes' THEN r.started_at ELSE now() END;

-- name: EndRefresh :exec
DELETE FROM credential_refreshes WHERE credential_id = @credential_id;

-- name: ListLostRefreshes :many
-- Whose process is gone: nobody holds the credential, and no answer was stored. The oldest first. After five minutes
-- no provider takes a token once more that it has replaced.
SELECT c.id, c.owner, c.provider, c.version FROM credential_refreshes r JOIN credentials c ON c.id = r.credential_id AND c.version = r.version
WHERE c.state = 'active' AND r.started_at < now() - sqlc.arg('age')::interval AND r.started_at > now() - interval '5 minutes'
ORDER BY r.started_at LIMIT 100 FOR UPDATE OF c SKIP LOCKED;

-- name: DeleteStrayRefreshes :execrows
DELETE FROM credential_refreshes WHERE started_at < now() - interval '1 hour';

-- name: DeleteStrayCredentials :execrows
-- Of servers that are gone. Their ids do not come back.
DELETE FROM credentials c WHERE c.provider LIKE 'mcp/%'
    AND NOT EXISTS (SELECT FROM mcp_servers s WHERE c.provider = 'mcp/' || s.id);
