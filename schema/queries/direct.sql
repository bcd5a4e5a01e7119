-- name: ClaimDirect :one
-- The claim and its audit event, in one statement and one commit. No rows: another call has the key.
WITH claimed AS (
    INSERT INTO direct_calls (id, owner, actor, via, idempotency_key, server_id, connection, server_name, tool_name, class,
        pin, arguments_sealed, digest, lease_until)
    VALUES (@id, @owner, @direct_actor, @via, sqlc.narg('idempotency_key'), sqlc.narg('server_id'), @connection, @server_name, @tool_name, @class,
        @pin, @arguments_sealed, @digest, clock_timestamp() + sqlc.arg('lease')::interval)
    ON CONFLICT (owner, via, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
    RETURNING lease_until)
SELECT lease_until, audit_append(@chain::text, @event_key::text, @kind::text, @event_actor::text, @body::text)::bigint AS seq FROM claimed;

-- name: SettleDirect :execrows
-- The outcome and its audit event, under the fence of whoever has the claim. A call that was provably not made gives
-- its key back: it may be made under it. An outcome that need not be durable reaches the disk with the next commit that
-- waits for it: if PostgreSQL dies before, the claim is found open and the receiver is asked.
WITH settled AS (
    UPDATE direct_calls SET state = @state, settled_at = clock_timestamp(), result_sealed = @result_sealed,
        result_digest = @result_digest, result_bytes = @result_bytes, is_error = @is_error, reason = @reason, resolved_by = @resolved_by,
        idempotency_key = CASE WHEN sqlc.arg('not_made')::boolean THEN NULL ELSE idempotency_key END
    WHERE id = @id AND fence = @fence AND state = 'claimed'
    RETURNING id)
SELECT audit_append(@chain::text, @event_key::text, @kind::text, @event_actor::text, @body::text) FROM settled
WHERE CASE WHEN sqlc.arg('durable')::boolean THEN true ELSE set_config('synchronous_commit', 'off', true) = 'off' END;

-- name: GetDirect :one
SELECT * FROM direct_calls WHERE id = @id AND owner = @owner;

-- name: FindDirect :one
SELECT * FROM direct_calls WHERE owner = @owner AND via = @via AND idempotency_key = @idempotency_key::text;

-- name: HoldsDirect :one
-- Asked right before sending when time has passed since the claim: who lost it must not send.
SELECT (fence = @fence AND state = 'claimed' AND lease_until > clock_timestamp())::boolean AS holds
FROM direct_calls WHERE id = @id;

-- name: NoteDirectReceipt :execrows
UPDATE direct_calls SET receipt = @receipt WHERE id = @id AND fence = @fence AND state = 'claimed';

-- name: ExtendDirectLease :one
-- The server asks a person in the middle of the call. No rows: somebody else has the call.
UPDATE direct_calls SET lease_until = clock_timestamp() + sqlc.arg('lease')::interval
WHERE id = @id AND fence = @fence AND state = 'claimed'
RETURNING lease_until;

-- name: TakeOverDirect :many
-- Claims whose time is over without an answer. From now on nobody else holds them, for as long as the question takes.
UPDATE direct_calls SET fence = fence + 1, lease_until = clock_timestamp() + sqlc.arg('lease')::interval
WHERE id IN (
    SELECT id FROM direct_calls WHERE state = 'claimed' AND lease_until < clock_timestamp()
    ORDER BY lease_until LIMIT @page_size FOR UPDATE SKIP LOCKED)
RETURNING *;

-- name: ForgetDirectKeys :execrows
-- An idempotency key counts for a day.
UPDATE direct_calls SET idempotency_key = NULL WHERE idempotency_key IS NOT NULL AND created_at < now() - interval '24 hours';
