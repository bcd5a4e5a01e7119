-- name: AnnounceHolder :exec
INSERT INTO ring_holders (process, ring, role, host, pid, follows, key_ids)
VALUES (@process, @ring, @role, @host, @pid, @follows, @key_ids)
ON CONFLICT (process, ring) DO UPDATE SET key_ids = EXCLUDED.key_ids, seen_at = now();

-- name: RemoveHolder :exec
DELETE FROM ring_holders WHERE process = @process;

-- name: RemoveSilentHolders :exec
DELETE FROM ring_holders WHERE (process, ring) IN (
    SELECT process, ring FROM ring_holders WHERE seen_at < now() - sqlc.arg('silence')::interval FOR UPDATE SKIP LOCKED);

-- name: ListHolders :many
SELECT * FROM ring_holders WHERE ring = @ring AND seen_at > now() - sqlc.arg('silence')::interval ORDER BY role, host, pid;

-- name: NoteRingKeys :exec
-- In order: two processes that note the same keys do not wait for each other crosswise.
INSERT INTO ring_keys (ring, key_id) SELECT @ring, id FROM unnest(sqlc.arg('key_ids')::text[]) AS id ORDER BY id
ON CONFLICT DO NOTHING;

-- name: AddRingKey :exec
INSERT INTO ring_keys (ring, key_id, added_at) VALUES (@ring, @key_id, now())
ON CONFLICT (ring, key_id) DO UPDATE SET added_at = now(), retired_at = NULL;

-- name: SettleRingKeys :exec
-- What the living processes do decides which key seals; while none lives, the one that the caller names.
WITH live AS (
    SELECT key_ids FROM ring_holders WHERE ring = @ring AND seen_at > now() - sqlc.arg('silence')::interval
), actual AS (
    SELECT r.key_id,
        EXISTS (SELECT FROM live WHERE live.key_ids[1] = r.key_id)
            OR (NOT EXISTS (SELECT FROM live) AND r.key_id = sqlc.arg('sealing')::text) AS seals,
        EXISTS (SELECT FROM live WHERE r.key_id = ANY (live.key_ids)) AS held
    FROM ring_keys r WHERE r.ring = @ring
)
UPDATE ring_keys k SET
    promoted_at = CASE WHEN a.seals AND (k.promoted_at IS NULL OR k.demoted_at IS NOT NULL) THEN now() ELSE k.promoted_at END,
    demoted_at = CASE WHEN a.seals OR k.promoted_at IS NULL THEN NULL ELSE coalesce(k.demoted_at, now()) END,
    retired_at = CASE WHEN a.held THEN NULL ELSE k.retired_at END
FROM actual a
WHERE k.ring = @ring AND k.key_id = a.key_id
    AND (a.seals <> (k.promoted_at IS NOT NULL AND k.demoted_at IS NULL) OR (a.held AND k.retired_at IS NOT NULL));

-- name: ListRingKeys :many
SELECT *, now()::timestamptz AS now FROM ring_keys WHERE ring = @ring ORDER BY known_at, key_id;

-- name: RetireRingKey :exec
UPDATE ring_keys SET retired_at = now() WHERE ring = @ring AND key_id = @key_id;

-- name: CountRunsWithin :one
-- Runs that began before a moment and whose histories may still exist.
SELECT count(*) FROM automation_runs
WHERE created_at < @before AND (finished_at IS NULL OR finished_at > sqlc.arg('finished_after')::timestamptz);
