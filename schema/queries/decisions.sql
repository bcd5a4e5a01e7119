-- name: InsertDecision :execrows
INSERT INTO decisions (id, run_id, call, owner, kind, digest, pin, reason, explanation, question_sealed, expires_at)
VALUES (@id, @run_id, @call, @owner, @kind, @digest, @pin, @reason, COALESCE(sqlc.narg('explanation')::json, '{}'), @question_sealed,
    now() + sqlc.arg('expiry')::interval)
ON CONFLICT DO NOTHING;

-- name: OpenDecision :one
SELECT * FROM decisions WHERE call = @call AND verdict = '';

-- name: GetDecision :one
SELECT * FROM decisions WHERE id = @id AND run_id = @run_id;

-- name: LatestDecision :one
SELECT * FROM decisions WHERE call = @call AND owner = @owner ORDER BY asked_at DESC LIMIT 1;

-- name: LatestInput :one
-- What a server asked last.
SELECT * FROM decisions WHERE call = @call AND owner = @owner AND kind = 'input' ORDER BY asked_at DESC LIMIT 1;

-- name: ListDecisions :many
SELECT * FROM decisions WHERE run_id = @run_id AND owner = @owner ORDER BY asked_at, id;

-- name: Decide :one
-- One answer per question: the second writer finds no open row.
UPDATE decisions SET verdict = @verdict, decided_by = @decided_by, decided_at = now(), note = @note,
    new_arguments_sealed = @new_arguments_sealed, new_digest = @new_digest, answer_sealed = @answer_sealed
WHERE id = @id AND owner = @owner AND verdict = '' AND (@verdict = 'expired' OR expires_at > now())
RETURNING *;

-- name: UseDecision :execrows
-- An approval is good for one claim, an answer is told once.
UPDATE decisions SET used_at = now() WHERE id = @id AND used_at IS NULL AND verdict IN ('approve', 'edit', 'answer', 'decline');

-- name: CloseInputs :exec
-- What a server asked in the middle of a call is over with that attempt at it.
UPDATE decisions SET verdict = 'expired', decided_at = now(), note = @note WHERE call = @call AND kind = 'input' AND verdict = '';

-- name: MarkDecisionDelivered :exec
UPDATE decisions SET delivered_at = now() WHERE id = @id AND delivered_at IS NULL;

-- name: ListUndeliveredDecisions :many
SELECT d.id, d.run_id, d.call, d.verdict, r.workflow_id FROM decisions d JOIN automation_runs r ON r.id = d.run_id
WHERE d.verdict <> '' AND d.verdict <> 'expired' AND d.delivered_at IS NULL AND r.finished_at IS NULL
  AND d.decided_at < now() - sqlc.arg('older_than')::interval
ORDER BY d.decided_at LIMIT @page_size;

-- name: CloseOpenDecisions :exec
UPDATE decisions SET verdict = 'expired', decided_at = now(), note = @note WHERE run_id = @run_id AND verdict = '';

-- name: ListAccounts :many
-- The owner's own mail addresses: what goes there stays with the owner.
SELECT account FROM credentials WHERE owner = @owner AND account <> '' ORDER BY account;
