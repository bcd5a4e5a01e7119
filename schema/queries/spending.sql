-- name: LockSpending :one
-- What a user has spent today. The row stays locked: one request of a user is weighed at a time.
INSERT INTO spending (owner, day) VALUES (@owner, (now() AT TIME ZONE 'UTC')::date)
ON CONFLICT (owner, day) DO UPDATE SET tokens = spending.tokens
RETURNING tokens, micro_usd;

-- name: LockDay :exec
-- For limits of everybody's together, taken after the user's own row.
SELECT pg_advisory_xact_lock(hashtext('steward_spending_day'));

-- name: SumDay :one
SELECT coalesce(sum(micro_usd), 0)::bigint AS micro_usd FROM spending WHERE day = (now() AT TIME ZONE 'UTC')::date;

-- name: SumRunCharges :one
SELECT coalesce(sum(charged_tokens), 0)::bigint AS tokens, coalesce(sum(charged_micro_usd), 0)::bigint AS micro_usd
FROM model_calls WHERE run_id = @run_id;

-- name: AddSpending :exec
UPDATE spending SET tokens = tokens + @tokens, micro_usd = micro_usd + @micro_usd
WHERE owner = @owner AND day = (now() AT TIME ZONE 'UTC')::date;

-- name: SettleModelCall :exec
-- Once: the first word about a request stands. The difference goes to the day on which it was set aside.
WITH call AS (
    SELECT m.run_id, m.step, m.temporal_run_id, m.activity_id, m.attempt, m.request, m.owner, m.started_at,
        m.charged_tokens AS tokens, m.charged_micro_usd AS micro_usd
    FROM model_calls m
    WHERE m.run_id = @run_id AND m.step = @step AND m.temporal_run_id = @temporal_run_id AND m.activity_id = @activity_id
      AND m.attempt = @attempt AND m.request = @request AND m.finished_at IS NULL
    FOR UPDATE
), settled AS (
    UPDATE model_calls m SET status = @status, response_id = @response_id, usage = @usage, tier = @tier,
        charged_tokens = @charged_tokens, charged_micro_usd = @charged_micro_usd, cost_known = @cost_known, finished_at = now()
    FROM call c
    WHERE m.run_id = c.run_id AND m.step = c.step AND m.temporal_run_id = c.temporal_run_id AND m.activity_id = c.activity_id
      AND m.attempt = c.attempt AND m.request = c.request
)
UPDATE spending s SET tokens = s.tokens + sqlc.arg(charged_tokens)::bigint - c.tokens, micro_usd = s.micro_usd + sqlc.arg(charged_micro_usd)::bigint - c.micro_usd
FROM call c WHERE s.owner = c.owner AND s.day = (c.started_at AT TIME ZONE 'UTC')::date;
