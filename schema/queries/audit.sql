-- name: AppendAudit :one
SELECT audit_append(@chain::text, @event_key::text, @kind::text, @actor::text, @body::text)::bigint AS seq;

-- name: PutAudit :exec
-- The same for a fact whose number nobody asks for: in a transaction it costs no round trip of its own.
SELECT audit_append(@chain::text, @event_key::text, @kind::text, @actor::text, @body::text);

-- name: ListAudit :many
SELECT chain, seq, event_key, at, kind, actor, body, hash FROM audit_events
WHERE chain = @chain AND seq > @after_seq ORDER BY seq LIMIT @page_size;

-- name: ListAuditKind :many
SELECT chain, seq, event_key, at, kind, actor, body, hash FROM audit_events
WHERE chain = @chain AND kind = ANY (sqlc.arg('kinds')::text[]) ORDER BY seq;

-- name: ListChains :many
SELECT chain, seq, head FROM audit_chains WHERE chain > @after_chain ORDER BY chain LIMIT @page_size;

-- name: GetChain :one
SELECT chain, seq, head FROM audit_chains WHERE chain = @chain;

-- name: InsertCheckpoint :one
INSERT INTO audit_checkpoints (chains, heads, note) VALUES (@chains, @heads, @note) RETURNING id, at;

-- name: ListCheckpoints :many
SELECT * FROM audit_checkpoints WHERE id > @after_id ORDER BY id LIMIT @page_size;

-- name: ScanAudit :many
SELECT chain, seq, event_key, at, kind, actor, body, hash FROM audit_events
WHERE (chain, seq) > (@after_chain::text, @after_seq::bigint) AND chain <= @last_chain::text
ORDER BY chain, seq LIMIT @page_size;

-- name: ListHeadlessChains :many
SELECT DISTINCT chain FROM audit_events e
WHERE NOT EXISTS (SELECT FROM audit_chains c WHERE c.chain = e.chain) ORDER BY chain LIMIT @page_size;

-- name: SumChains :one
SELECT count(*) AS chains, coalesce(sum(seq), 0)::bigint AS events FROM audit_chains;

-- name: TryCheckpointLock :one
SELECT pg_try_advisory_xact_lock(hashtext('steward_audit_checkpoint'));

-- name: ListRunWorkflows :many
SELECT id, workflow_id FROM automation_runs
WHERE id > @after_id AND dispatched_at IS NOT NULL ORDER BY id LIMIT @page_size;

-- name: FollowAudit :exec
-- From now on events of the chain are announced, to whoever listens.
SELECT audit_follow(@chain::text, @follower::text, sqlc.arg('ttl')::interval);

-- name: ForgetFollowers :exec
-- Those whose time is over, and the follower's own that nobody reads any more.
DELETE FROM audit_followers
WHERE until < now() OR (follower = @follower AND NOT (chain = ANY (sqlc.arg('chains')::text[])));

-- name: TellProgress :execrows
-- Tells whoever follows the chain. No rows: nobody does, and nothing was sent.
SELECT pg_notify('steward_progress', @payload::text) FROM audit_followers WHERE chain = @chain AND until > now() LIMIT 1;
