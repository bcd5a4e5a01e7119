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
    DROP CONSTRAINT model_calls_status_check,
    ADD CONSTRAINT model_calls_status_check CHECK (status IN ('sent', 'accepted', 'answered', 'failed'));
CREATE INDEX model_calls_response ON model_calls (run_id, response_id) WHERE response_id <> '';

-- Per user and day (UTC); the row of owner '' is everybody's.
CREATE TABLE spending (
    owner     text NOT NULL,
    day       date NOT NULL,
    tokens    bigint NOT NULL DEFAULT 0,
    micro_usd bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (owner, day)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON spending TO steward_app;

-- +goose Down
DROP TABLE spending;
DROP INDEX model_calls_response;
ALTER TABLE model_calls DROP CONSTRAINT model_calls_status_check,
    ADD CONSTRAINT model_calls_status_check CHECK (status IN ('sent', 'answered', 'failed')),
    DROP COLUMN owner, DROP COLUMN provider, DROP COLUMN model, DROP COLUMN tier, DROP COLUMN prices,
    DROP COLUMN charged_tokens, DROP COLUMN charged_micro_usd, DROP COLUMN cost_known;
