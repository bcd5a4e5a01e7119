-- name: InsertCall :one
-- After a Temporal Reset the model may name a call that the ledger already has: that row stays, its
-- recorded outcome counts, and inserted is false.
INSERT INTO tool_calls (id, run_id, owner, step, position, call_id, function_name, server_id, connection, server_name, tool_name,
    class, pin, arguments_sealed, arguments_preview, digest, state, result_sealed, result_bytes, is_error, reason, settled_at)
VALUES (@id, @run_id, @owner, @step, @position, @call_id, @function_name, @server_id, @connection, @server_name, @tool_name,
    @class, @pin, @arguments_sealed, @arguments_preview, @digest, @state, @result_sealed, @result_bytes, @is_error, @reason,
    CASE WHEN sqlc.arg('state')::text = 'failed' THEN clock_timestamp() END)
ON CONFLICT (run_id, step, call_id) DO UPDATE SET superseded = false
RETURNING id, state, digest, attempts, (xmax = 0)::boolean AS inserted;

-- name: GetCall :one
SELECT * FROM tool_calls WHERE id = @id AND run_id = @run_id;

-- name: ListCallSummaries :many
-- The ledger without its large columns.
SELECT id, step, position, call_id, function_name, server_id, server_name, tool_name, class, pin, arguments_preview,
    digest, state, attempts, claimed_at, settled_at, result_bytes, is_error, reason, resolved_by, was_unknown, created_at,
    connection, executed_by, evidence
FROM tool_calls WHERE run_id = @run_id AND owner = @owner AND NOT superseded ORDER BY step, position;

-- name: ListCallsBefore :many
SELECT c.step, c.position, c.call_id, c.function_name, c.server_name, c.tool_name, c.state, c.is_error, c.reason, c.result_sealed,
    c.id, c.owner, c.was_unknown, c.resolved_by, r.workflow_id
FROM tool_calls c JOIN automation_runs r ON r.id = c.run_id
WHERE c.run_id = @run_id AND c.step < @before_step AND NOT c.superseded ORDER BY c.step, c.position;

-- name: ListDeeds :many
-- What the guard must know of a run before it judges the calls of a step: which tools' answers the model has
-- seen, and how often it has made one of these calls already. A read that answers something new each time, such
-- as the state of a job, counts once.
SELECT function_name, server_name, tool_name, (CASE WHEN digest = ANY (@digests::text[]) THEN digest ELSE '' END)::text AS digest,
    (count(*) - CASE WHEN max(class) = 'read' THEN count(DISTINCT result_digest) - 1 ELSE 0 END)::integer AS times,
    bool_or(step < @step AND state IN ('done', 'failed') AND (attempts > 0 OR executed_by = 'provider'))::boolean AS seen
FROM tool_calls WHERE run_id = @run_id AND NOT superseded AND NOT (step = @step AND call_id = ANY (@call_ids::text[]))
GROUP BY 1, 2, 3, 4 ORDER BY 2, 3, 4;

-- name: ClaimCall :one
-- The fence. Exactly one caller gets the row: from planned or waiting, or from a claim whose repetition the
-- caller has shown to be safe by naming the fence that it saw. No claim, no call.
UPDATE tool_calls SET state = 'claimed', fence = fence + 1, attempts = attempts + 1, claimed_at = clock_timestamp(),
    lease_until = clock_timestamp() + sqlc.arg('lease')::interval, task_id = ''
WHERE id = @id AND run_id = @run_id AND fence = @seen_fence AND state = ANY (sqlc.arg('from_states')::text[])
RETURNING *;

-- name: CommitToMemory :exec
-- This transaction's commit is seen by everybody at once and reaches the disk with the next one that waits for it.
SELECT set_config('synchronous_commit', 'off', true);

-- name: TakeOverClaim :one
-- A later attempt takes an open claim over: from now on the earlier one holds no fence.
UPDATE tool_calls SET fence = fence + 1 WHERE id = @id AND run_id = @run_id AND fence = @seen_fence AND state = 'claimed'
RETURNING *;

-- name: HoldsFence :one
-- Asked right before sending when time has passed since the claim: a stale attempt must not send.
SELECT (fence = @fence AND state = 'claimed' AND lease_until > clock_timestamp())::boolean AS holds
FROM tool_calls WHERE id = @id AND run_id = @run_id;

-- name: SettleCall :execrows
UPDATE tool_calls SET state = @state, settled_at = CASE WHEN @state = 'unknown' THEN NULL ELSE clock_timestamp() END,
    result_sealed = @result_sealed, result_digest = @result_digest, result_bytes = @result_bytes, is_error = @is_error,
    reason = @reason, resolved_by = @resolved_by, was_unknown = was_unknown OR sqlc.arg('state')::text = 'unknown' OR @was_unknown,
    round_sealed = CASE WHEN @state = 'unknown' THEN round_sealed END -- a person's answers are kept only while they may be needed
WHERE id = @id AND run_id = @run_id AND fence = @fence AND state = ANY (sqlc.arg('from_states')::text[]);

-- name: ReleaseCall :execrows
-- The call provably did not run: it may be claimed again, without a new approval.
UPDATE tool_calls SET state = 'planned', reason = @reason
WHERE id = @id AND run_id = @run_id AND fence = @fence AND state IN ('claimed', 'unknown');

-- name: ListClaimed :many
SELECT * FROM tool_calls WHERE run_id = @run_id AND state IN ('claimed', 'unknown') AND NOT superseded ORDER BY step, position;

-- name: SetCallArguments :execrows
-- A person edited the arguments while approving; only a call that was never claimed may change.
UPDATE tool_calls SET arguments_sealed = @arguments_sealed, arguments_preview = @arguments_preview, digest = @digest
WHERE id = @id AND run_id = @run_id AND attempts = 0;

-- name: CancelPlannedCalls :many
UPDATE tool_calls SET state = 'cancelled', settled_at = clock_timestamp(), reason = @reason, round_sealed = NULL
WHERE run_id = @run_id AND state IN ('planned', 'waiting') AND NOT superseded
RETURNING id, step, server_name, tool_name;

-- name: WasMadeBeforeReset :one
-- Whether a branch that a Temporal Reset has ended made this very call, or may have.
SELECT EXISTS (
    SELECT FROM tool_calls WHERE run_id = @run_id AND superseded AND function_name = @function_name AND digest = @digest
        AND state IN ('claimed', 'done', 'unknown')
)::boolean AS made;

-- name: NoteReceipt :execrows
-- Under the fence: a stale attempt notes nothing, and therefore does not send.
UPDATE tool_calls SET receipt = @receipt WHERE id = @id AND run_id = @run_id AND fence = @fence AND state = 'claimed';

-- name: PauseCall :execrows
-- The server wants to know something before it goes on: the claim is over, and the call waits for a person, or for
-- nobody if there is nothing to ask. Sent again, it is claimed again.
UPDATE tool_calls SET state = @state, round_sealed = @round_sealed
WHERE id = @id AND run_id = @run_id AND fence = @fence AND state = 'claimed';

-- name: PutRound :execrows
-- What people have said so far.
UPDATE tool_calls SET round_sealed = @round_sealed
WHERE id = @id AND run_id = @run_id AND fence = @fence AND state IN ('waiting', 'claimed');

-- name: NoteTask :execrows
-- From now on the server's task is asked about; nothing is called again.
UPDATE tool_calls SET task_id = @task_id WHERE id = @id AND run_id = @run_id AND fence = @fence AND state = 'claimed';

-- name: ExtendLease :execrows
-- The attempt waits for a person in the middle of its call.
UPDATE tool_calls SET lease_until = clock_timestamp() + sqlc.arg('lease')::interval
WHERE id = @id AND run_id = @run_id AND fence = @fence AND state = 'claimed';
