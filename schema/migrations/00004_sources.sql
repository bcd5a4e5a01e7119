-- +goose Up
-- Where a run's tools come from, who executes them, and what a run waits for when it waits for no call.

-- A server that wants the caller's own OAuth credential as bearer token, by the provider's name ('google').
ALTER TABLE mcp_servers ADD COLUMN auth_provider text NOT NULL DEFAULT '';

ALTER TABLE automation_runs
    ADD COLUMN mode text NOT NULL DEFAULT 'worker' CHECK (mode IN ('worker', 'provider')), -- who calls the tools
    ADD COLUMN connections text[] NOT NULL DEFAULT '{}', -- names of connectors, beside server_ids
    ADD COLUMN output_schema json,           -- the final answer must fit it
    ADD COLUMN waiting json;                 -- automation.Waiting while the state is waiting_for_auth, _budget or _model

ALTER TABLE tool_calls
    ADD COLUMN connection text NOT NULL DEFAULT '', -- the connector that is called, when it is no MCP server
    ADD COLUMN receipt text NOT NULL DEFAULT '',    -- what a connector noted under the fence before it sent: the key of its probe
    ADD COLUMN executed_by text NOT NULL DEFAULT 'worker' CHECK (executed_by IN ('worker', 'provider')),
    ADD COLUMN evidence text NOT NULL DEFAULT 'observed' CHECK (evidence IN ('observed', 'reported')),
    ADD COLUMN provider_request text NOT NULL DEFAULT ''; -- the model provider's id of its question for approval

ALTER TABLE decisions
    ADD COLUMN explanation json NOT NULL DEFAULT '{}'; -- tool.Explanation: rules, tainted sources, addressees

-- An activity may ask the model for one step several times (a run that was parked, a step in the background).
ALTER TABLE model_calls
    ADD COLUMN activity_id text NOT NULL DEFAULT '',
    DROP CONSTRAINT model_calls_pkey,
    ADD PRIMARY KEY (run_id, step, temporal_run_id, activity_id, attempt);

-- +goose Down
ALTER TABLE model_calls DROP CONSTRAINT model_calls_pkey, DROP COLUMN activity_id,
    ADD PRIMARY KEY (run_id, step, temporal_run_id, attempt);
ALTER TABLE decisions DROP COLUMN explanation;
ALTER TABLE tool_calls DROP COLUMN connection, DROP COLUMN receipt, DROP COLUMN executed_by, DROP COLUMN evidence, DROP COLUMN provider_request;
ALTER TABLE automation_runs DROP COLUMN mode, DROP COLUMN connections, DROP COLUMN output_schema, DROP COLUMN waiting;
ALTER TABLE mcp_servers DROP COLUMN auth_provider;
