-- +goose Up
-- What a request to the model may cost is set aside before it is sent and settled when its usage is known.
-- A request whose answer never came stays charged with what was set aside.
ALTER TABLE model_calls
    ADD COLUMN owner text NOT NULL DEFAULT '',
    ADD COLUMN provider text NOT NULL DEFAULT '',
    ADD COLUMN model text NOT NULL DEFAULT '',
    ADD COLUMN tier text NOT NULL DEFAULT '',            -- service tier that the answer names
    ADD COLUMN prices text NOT NULL DEFAULT '',          -- version of the price table
    ADD COLUMN charged_tokens bigint NOT NULL DEFAULT 0, -- set aside, then used
    ADD COLUMN charged_micro_usd bigint NOT NULL DEFAULT 0,
    ADD COLUMN cost_known boolean NOT NULL DEFAULT false,
    ADD COLUMN bounded boolean NOT NULL DEFAULT false,   -- a limit, not the model, bounds the length of the answer
    ADD COLUMN request integer NOT NULL DEFAULT 1,       -- of this attempt: it may compact first, and ask once more
    DROP CONSTRAINT model_calls_pkey,
    ADD PRIMARY KEY (run_id, step, temporal_run_id, activity_id, attempt, request),
    DROP CONSTRAINT model_calls_status_check,
    ADD CONSTRAINT model_calls_status_check CHECK (status IN ('sent', 'accepted', 'answered', 'failed'));
CREATE INDEX model_calls_response ON model_calls (run_id, response_id) WHERE response_id <> '';

-- Per user and day (UTC). Everybody's is their sum: one row for all would let one request be written at a time.
CREATE TABLE spending (
    owner     text NOT NULL,
    day       date NOT NULL,
    tokens    bigint NOT NULL DEFAULT 0,
    micro_usd bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (owner, day)
);
CREATE INDEX spending_day ON spending (day);

-- What the model is shown instead of the turns before a step, once all of them did not fit. The turns stay where
-- they are, for people.
CREATE TABLE run_compactions (
    run_id          bigint NOT NULL REFERENCES automation_runs (id) ON DELETE CASCADE,
    step            integer NOT NULL,
    temporal_run_id text NOT NULL,
    items_sealed    bytea NOT NULL,         -- JSON array of input items
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run_id, step, temporal_run_id)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON spending, run_compactions TO steward_app;

-- +goose Down
DROP TABLE run_compactions, spending;
DROP INDEX model_calls_response;
DELETE FROM model_calls WHERE request > 1;
UPDATE model_calls SET status = 'sent' WHERE status = 'accepted';
ALTER TABLE model_calls DROP CONSTRAINT model_calls_pkey, DROP COLUMN request, DROP COLUMN bounded,
    ADD PRIMARY KEY (run_id, step, temporal_run_id, activity_id, attempt),
    DROP CONSTRAINT model_calls_status_check,
    ADD CONSTRAINT model_calls_status_check CHECK (status IN ('sent', 'answered', 'failed')),
    DROP COLUMN owner, DROP COLUMN provider, DROP COLUMN model, DROP COLUMN tier, DROP COLUMN prices,
    DROP COLUMN charged_tokens, DROP COLUMN charged_micro_usd, DROP COLUMN cost_known;
