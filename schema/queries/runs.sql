-- name: CountQueued :one
-- How many runs wait to be started, counted up to a cap: past it the exact number does not matter.
SELECT count(*) FROM (SELECT 1 FROM automation_runs WHERE state = 'queued' LIMIT @cap) q;

-- name: InsertRun :one
INSERT INTO automation_runs (owner, actor, workflow_id, mcp_server_id, server_ids, tool_name, instructions_sealed,
    model, approval, limits, metadata, mode, connections, output_schema, servers_named)
VALUES (@owner, @actor, @workflow_id, @mcp_server_id, @server_ids, @tool_name, @instructions_sealed,
    @model, @approval, @limits, @metadata, @mode, @connections, @output_schema, @servers_named)
RETURNING *;

-- name: GetRun :one
SELECT * FROM automation_runs WHERE id = @id AND owner = @owner;

-- name: GetRunForWorker :one
-- The workflow acts for the owner it reads here; no user input reaches this query.
SELECT * FROM automation_runs WHERE id = @id;

-- name: ListRuns :many
-- A page of summaries: what is sealed stays where it is.
SELECT id, owner, workflow_id, tool_name, model, state, error_code, error_message, provider, usage, created_at, started_at, finished_at
FROM automation_runs
WHERE owner = @owner AND id < @before_id
  AND (sqlc.narg('states')::text[] IS NULL OR state = ANY (sqlc.narg('states')::text[]))
  AND (sqlc.narg('server_id')::bigint IS NULL OR sqlc.narg('server_id') = ANY (server_ids))
  AND (sqlc.narg('since')::timestamptz IS NULL OR created_at >= sqlc.narg('since'))
  AND (sqlc.narg('until')::timestamptz IS NULL OR created_at < sqlc.narg('until'))
ORDER BY id DESC
LIMIT @page_size;

-- name: MarkDispatched :exec
UPDATE automation_runs SET dispatched_at = now() WHERE id = @id AND dispatched_at IS NULL;

-- name: ListUndispatched :many
-- What was accepted and not started. Two reconcilers may get the same rows: starting twice is harmless.
SELECT id, owner, workflow_id FROM automation_runs
WHERE state = 'queued' AND dispatched_at IS NULL AND created_at < now() - sqlc.arg('older_than')::interval
ORDER BY id LIMIT @page_size;

-- name: ListOpenRunsOf :many
-- Those of the given workflows whose rows are still open.
SELECT id, owner, workflow_id, state, state_seq FROM automation_runs
WHERE workflow_id = ANY (sqlc.arg('workflow_ids')::text[]) AND finished_at IS NULL;

-- name: SetRunState :exec
-- Monotonic: a write with an older number than the row's changes nothing, and a finished run stays finished.
-- What changed is shown on the timeline. Other calls of the same turn may ask a person while one is parked: why
-- it is parked stays until the run goes on, or nobody would wake it.
WITH changed AS (
    UPDATE automation_runs SET state = @state, state_seq = @state_seq,
        waiting = CASE WHEN @state <> 'running' THEN coalesce(sqlc.narg('waiting')::json, waiting) END,
        started_at = coalesce(started_at, CASE WHEN @state <> 'queued' THEN now() END),
        dispatched_at = coalesce(dispatched_at, now()) -- the starter may have died between the start and its note of it
    WHERE id = @id AND state_seq < @state_seq AND finished_at IS NULL
    RETURNING id)
SELECT audit_append(@chain::text, @event_key::text, @kind::text, @actor::text, @body::text) FROM changed;

-- name: FinishRun :execrows
UPDATE automation_runs SET state = @state, state_seq = @state_seq, output_sealed = @output_sealed,
    error_code = @error_code, error_message = @error_message, finished_at = now(), waiting = NULL,
    started_at = coalesce(started_at, now())
WHERE id = @id AND finished_at IS NULL;

-- name: SetRunUsage :exec
-- The sum over the run's requests. One whose answer never came counts with what was set aside for it, and makes
-- the sum an estimate. charged_tokens is 0 in rows from before there was spending.
UPDATE automation_runs SET provider = @provider, usage = (
    SELECT jsonb_build_object(
        'input_tokens', coalesce(sum((m.usage->>'input_tokens')::bigint), 0),
        'cached_tokens', coalesce(sum((m.usage->>'cached_tokens')::bigint), 0),
        'output_tokens', coalesce(sum((m.usage->>'output_tokens')::bigint), 0),
        'reasoning_tokens', coalesce(sum((m.usage->>'reasoning_tokens')::bigint), 0),
        'total_tokens', coalesce(sum(greatest(m.charged_tokens, (m.usage->>'total_tokens')::bigint)), 0),
        'cost_micro_usd', coalesce(sum(m.charged_micro_usd), 0),
        'cost_known', coalesce(bool_and(m.cost_known), false),
        'estimated', coalesce(bool_or((m.usage->>'known') IS DISTINCT FROM 'true' OR (m.usage->>'estimated') = 'true'), false),
        'known', coalesce(bool_and((m.usage->>'known') IS NOT DISTINCT FROM 'true'), false))
    FROM model_calls m WHERE m.run_id = @id AND (m.charged_tokens > 0 OR m.status = 'answered'))
WHERE id = @id;

-- name: RequestCancel :one
UPDATE automation_runs SET cancel_requested_at = coalesce(cancel_requested_at, now()),
    cancel_actor = CASE WHEN cancel_requested_at IS NULL THEN @actor ELSE cancel_actor END
WHERE id = @id AND owner = @owner AND finished_at IS NULL
RETURNING *;

-- name: MarkCancelDelivered :exec
UPDATE automation_runs SET cancel_delivered_at = now() WHERE id = @id;

-- name: ListUndeliveredCancels :many
SELECT id, owner, workflow_id FROM automation_runs
WHERE finished_at IS NULL AND cancel_requested_at IS NOT NULL AND cancel_delivered_at IS NULL AND dispatched_at IS NOT NULL
ORDER BY id LIMIT @page_size;

-- name: PutCatalogue :exec
INSERT INTO run_catalogues (run_id, snapshot) VALUES (@run_id, @snapshot)
ON CONFLICT (run_id) DO NOTHING;

-- name: GetCatalogue :one
SELECT snapshot FROM run_catalogues WHERE run_id = @run_id;

-- name: GetStep :one
SELECT * FROM run_steps WHERE run_id = @run_id AND step = @step AND temporal_run_id = @temporal_run_id AND NOT superseded;

-- name: SupersedeSteps :exec
-- A Temporal Reset starts a new branch: what the old one planned from this step on is no longer the transcript.
UPDATE run_steps SET superseded = true
WHERE run_id = @run_id AND step >= @step AND temporal_run_id <> @temporal_run_id AND NOT superseded;

-- name: SupersedeCalls :exec
UPDATE tool_calls SET superseded = true WHERE run_id = @run_id AND step >= @step AND NOT superseded;

-- name: InsertStep :exec
INSERT INTO run_steps (run_id, step, temporal_run_id, response_id, items_sealed, result, usage)
VALUES (@run_id, @step, @temporal_run_id, @response_id, @items_sealed, @result, @usage)
ON CONFLICT DO NOTHING;

-- name: ListSteps :many
SELECT step, items_sealed FROM run_steps
WHERE run_id = @run_id AND step >= @from_step AND step < @before_step AND NOT superseded ORDER BY step;

-- name: GetLastStep :one
SELECT step, items_sealed FROM run_steps WHERE run_id = @run_id AND NOT superseded ORDER BY step DESC LIMIT 1;

-- name: InsertModelCall :exec
-- The intent, with what is set aside for it; see spending.sql.
INSERT INTO model_calls (run_id, step, temporal_run_id, activity_id, attempt, request,
    owner, provider, model, prices, charged_tokens, charged_micro_usd, cost_known, bounded)
VALUES (@run_id, @step, @temporal_run_id, @activity_id, @attempt, @request,
    @owner, @provider, @model, @prices, @charged_tokens, @charged_micro_usd, @cost_known, @bounded);

-- name: AcceptModelCall :exec
-- The provider works on it in the background under this id.
UPDATE model_calls SET status = 'accepted', response_id = @response_id
WHERE run_id = @run_id AND step = @step AND temporal_run_id = @temporal_run_id AND activity_id = @activity_id
  AND attempt = @attempt AND request = @request AND finished_at IS NULL;

-- name: FindAcceptedModelCall :one
-- What the provider already works on for this step: it is waited for, not asked for again.
SELECT * FROM model_calls
WHERE run_id = @run_id AND step = @step AND temporal_run_id = @temporal_run_id AND status = 'accepted'
ORDER BY started_at DESC LIMIT 1;

-- name: ListAcceptedModelCalls :many
SELECT * FROM model_calls WHERE run_id = @run_id AND status = 'accepted' ORDER BY started_at;

-- name: PutCompaction :exec
INSERT INTO run_compactions (run_id, step, temporal_run_id, items_sealed)
VALUES (@run_id, @step, @temporal_run_id, @items_sealed) ON CONFLICT DO NOTHING;

-- name: GetCompaction :one
-- The latest one that stands for turns before this step.
SELECT step, temporal_run_id, items_sealed FROM run_compactions
WHERE run_id = @run_id AND step <= @step ORDER BY step DESC, created_at DESC LIMIT 1;

-- name: DropCompactions :exec
-- After a Temporal Reset: those that stand for turns which the new branch replaces.
DELETE FROM run_compactions WHERE run_id = @run_id AND step > @step AND temporal_run_id <> @temporal_run_id;

-- name: ListRunsWaitingForConsent :many
-- Runs that wait for a consent that has been given since. Callers wake them; waking twice is harmless.
SELECT r.id, r.owner, r.workflow_id FROM automation_runs r
JOIN credentials c ON c.owner = r.owner AND c.provider = r.waiting->>'provider'
WHERE r.waiting IS NOT NULL AND r.finished_at IS NULL AND c.state = 'active'
  AND c.version > coalesce((r.waiting->>'version')::bigint, 0)
  AND (sqlc.narg('owner')::text IS NULL OR r.owner = sqlc.narg('owner'))
ORDER BY r.id LIMIT @page_size;

-- name: HasConsent :one
-- Whether a usable credential has come since the one of this version, 0 for none.
SELECT EXISTS (SELECT FROM credentials
    WHERE owner = @owner AND provider = @provider AND state = 'active' AND version > @version)::boolean;

-- name: ShowRunState :exec
-- What people see while an activity holds a question open in the middle of a call. The workflow's numbers stay as
-- they are, so that its next word counts. While other questions are open, the state stays.
WITH changed AS (
    UPDATE automation_runs r SET state = @state WHERE r.id = @id AND r.finished_at IS NULL AND r.state = @from_state AND r.state <> @state
        AND (@state = 'waiting_for_decision' OR NOT EXISTS (
            SELECT FROM decisions d WHERE d.run_id = r.id AND d.verdict = '' AND d.kind <> 'approval'))
    RETURNING r.id)
SELECT audit_append(@chain::text, @event_key::text, @kind::text, @actor::text, @body::text) FROM changed;

-- name: ListRunsWaitingForReview :many
-- Runs that wait until somebody has looked at a changed tool, which has happened since. Waking twice is harmless.
SELECT r.id, r.owner, r.workflow_id FROM automation_runs r
JOIN server_tools t ON t.server_id = (r.waiting->>'server_id')::bigint AND t.name = r.waiting->>'tool'
WHERE r.waiting IS NOT NULL AND r.finished_at IS NULL AND t.state <> 'quarantined'
  AND (sqlc.narg('server_id')::bigint IS NULL OR t.server_id = sqlc.narg('server_id'))
ORDER BY r.id LIMIT @page_size;

-- name: HasReview :one
-- Whether nobody needs to look at the tool any more; a tool that is gone is nothing to look at.
SELECT (NOT EXISTS (SELECT FROM server_tools WHERE server_id = @server_id AND name = @name AND state = 'quarantined'))::boolean;

-- name: OffersTool :one
-- Whether the server had a tool of this name when it was last seen.
SELECT EXISTS (SELECT FROM server_tools WHERE server_id = @server_id AND name = @name)::boolean;
