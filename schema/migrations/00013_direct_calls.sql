-- +goose Up
-- Calls that somebody makes outside a run. A call that may change something is written here, claimed, before it is
-- sent; one that only reads is audited and has no row.
CREATE TABLE direct_calls (
    id            text PRIMARY KEY,          -- random; also the idempotency key offered to servers
    owner         text NOT NULL,
    actor         text NOT NULL,
    via           text NOT NULL CHECK (via IN ('rest', 'mcp')),
    idempotency_key text,                    -- the caller's, for a day; unique for its owner and way in
    server_id     bigint,
    connection    text NOT NULL DEFAULT '',
    server_name   text NOT NULL,
    tool_name     text NOT NULL,
    class         text NOT NULL CHECK (class IN ('read', 'idempotent', 'effect')),
    pin           text NOT NULL,
    arguments_sealed bytea NOT NULL,
    digest        text NOT NULL,             -- of the canonical arguments
    state         text NOT NULL DEFAULT 'claimed' CHECK (state IN ('claimed', 'done', 'failed', 'unknown')),
    fence         bigint NOT NULL DEFAULT 1, -- who asks what became of it takes the claim over
    receipt       text NOT NULL DEFAULT '',
    lease_until   timestamptz NOT NULL,      -- after it a claim without an answer is unknown
    result_sealed bytea,                     -- the whole answer
    result_digest text NOT NULL DEFAULT '',
    result_bytes  bigint NOT NULL DEFAULT 0,
    is_error      boolean NOT NULL DEFAULT false,
    reason        text NOT NULL DEFAULT '',
    resolved_by   text NOT NULL DEFAULT '',
    created_at    timestamptz NOT NULL DEFAULT now(),
    settled_at    timestamptz
);
CREATE UNIQUE INDEX direct_calls_key ON direct_calls (owner, via, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX direct_calls_keyed ON direct_calls (created_at) WHERE idempotency_key IS NOT NULL;
CREATE INDEX direct_calls_owner ON direct_calls (owner, created_at DESC);
CREATE INDEX direct_calls_open ON direct_calls (lease_until) WHERE state = 'claimed';
GRANT SELECT, INSERT, UPDATE, DELETE ON direct_calls TO steward_app;

-- +goose Down
DROP TABLE direct_calls;
