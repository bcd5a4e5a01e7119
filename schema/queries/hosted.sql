-- Calls that the model's provider makes (mode "provider"): what it asks for and what it reports.
-- provider_request is its id of a question for approval; receipt names the request to the model that carried
-- the approval, and once the call is reported, the provider's id of it.

-- name: InsertHostedCall :one
-- See InsertCall.
INSERT INTO tool_calls (id, run_id, owner, step, position, call_id, function_name, server_id, server_name, tool_name,
    class, pin, arguments_sealed, arguments_preview, digest, state, provider_request, receipt, result_sealed, result_digest,
    result_bytes, is_error, reason, was_unknown, executed_by, evidence, settled_at)
VALUES (@id, @run_id, @owner, @step, @position, @call_id, @function_name, @server_id, @server_name, @tool_name,
    @class, @pin, @arguments_sealed, @arguments_preview, @digest, @state, @provider_request, @receipt, @result_sealed, @result_digest,
    @result_bytes, @is_error, @reason, sqlc.arg('state')::text = 'unknown', 'provider', 'reported',
    CASE WHEN sqlc.arg('state')::text IN ('done', 'failed') THEN clock_timestamp() END)
ON CONFLICT (run_id, step, call_id) DO UPDATE SET superseded = false
RETURNING id, state, digest, attempts, (xmax = 0)::boolean AS inserted;

-- name: ListHostedQuestions :many
-- What the provider asked approval for on the branch that stands.
SELECT * FROM tool_calls WHERE run_id = @run_id AND provider_request <> '' AND NOT superseded ORDER BY step, position;

-- name: CarryHosted :execrows
-- Right before the request that carries these approvals: each leaves once. A stale attempt, or one that finds them
-- carried already, changes fewer rows than it names and sends nothing.
UPDATE tool_calls SET receipt = @request
WHERE run_id = @run_id AND id = ANY (sqlc.arg('ids')::text[]) AND state = 'claimed' AND receipt = '';

-- name: UncarryHosted :exec
-- The request was refused: it provably did nothing, and its approvals may leave with another.
UPDATE tool_calls SET receipt = '' WHERE run_id = @run_id AND receipt = @request AND state = 'claimed' AND executed_by = 'provider';

-- name: ReportHosted :execrows
-- The provider's own word on a call whose approval it was sent.
UPDATE tool_calls SET state = @state, settled_at = CASE WHEN @state = 'unknown' THEN NULL ELSE clock_timestamp() END,
    receipt = @receipt, result_sealed = @result_sealed, result_digest = @result_digest, result_bytes = @result_bytes,
    is_error = @is_error, reason = @reason, was_unknown = was_unknown OR sqlc.arg('state')::text = 'unknown'
WHERE id = @id AND run_id = @run_id AND fence = @fence AND state = 'claimed';

-- name: MayHappenTwice :one
-- Whether this very call was made on a branch that a Temporal Reset has ended, or has an unknown outcome.
SELECT EXISTS (
    SELECT FROM tool_calls WHERE run_id = @run_id AND function_name = @function_name AND digest = @digest
        AND (state = 'unknown' OR superseded AND state IN ('claimed', 'done'))
)::boolean AS may;
