-- +goose Up
-- Tools that do not answer at once: one that asks a person first, one that answers with a task, one whose session
-- lives in a certain worker.
ALTER TABLE tool_calls
    ADD COLUMN round_sealed bytea,           -- what an unfinished call needs to go on: the server's state, its questions, a person's answers
    ADD COLUMN task_id text NOT NULL DEFAULT ''; -- the server's task (SEP-2663): asked about, never called again

ALTER TABLE decisions
    DROP CONSTRAINT decisions_kind_check, DROP CONSTRAINT decisions_verdict_check,
    ADD CONSTRAINT decisions_kind_check CHECK (kind IN ('approval', 'unknown', 'input')),
    ADD CONSTRAINT decisions_verdict_check CHECK (verdict IN
        ('', 'approve', 'deny', 'edit', 'check', 'retry', 'skip', 'expired', 'answer', 'decline')),
    ADD COLUMN question_sealed bytea,        -- kind input: what the server asks, with the form to fill in
    ADD COLUMN answer_sealed bytea;          -- what the person said

-- Whether somebody named the run's servers, or it may use whatever is there: what is named is waited for.
ALTER TABLE automation_runs ADD COLUMN servers_named boolean NOT NULL DEFAULT false;

-- Where the session of a run with a stateful server lives, so that a move is noticed and noted.
CREATE TABLE run_sessions (
    run_id     bigint NOT NULL REFERENCES automation_runs (id) ON DELETE CASCADE,
    server_id  bigint NOT NULL,
    worker     text NOT NULL,                -- the worker's own task queue
    since      timestamptz NOT NULL DEFAULT now(),
    moves      integer NOT NULL DEFAULT 0,
    PRIMARY KEY (run_id, server_id)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON run_sessions TO steward_app;

-- +goose Down
DROP TABLE run_sessions;
ALTER TABLE automation_runs DROP COLUMN servers_named;
DELETE FROM decisions WHERE kind = 'input' OR verdict IN ('answer', 'decline');
ALTER TABLE decisions
    DROP COLUMN question_sealed, DROP COLUMN answer_sealed,
    DROP CONSTRAINT decisions_kind_check, DROP CONSTRAINT decisions_verdict_check,
    ADD CONSTRAINT decisions_kind_check CHECK (kind IN ('approval', 'unknown')),
    ADD CONSTRAINT decisions_verdict_check CHECK (verdict IN ('', 'approve', 'deny', 'edit', 'check', 'retry', 'skip', 'expired'));
ALTER TABLE tool_calls DROP COLUMN round_sealed, DROP COLUMN task_id;
