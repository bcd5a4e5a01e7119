-- +goose Up
-- Rotation of key rings while serving: when a key came, sealed, and went; and which processes know it.
-- Keys themselves are never here, only their ids (secret.KeyID).
CREATE TABLE ring_keys (
    ring        text NOT NULL,              -- 'secrets' or 'codec'
    key_id      text NOT NULL,
    added_at    timestamptz NOT NULL DEFAULT now(),
    promoted_at timestamptz,
    demoted_at  timestamptz,                -- sealed for the last time
    retired_at  timestamptz,
    PRIMARY KEY (ring, key_id)
);
-- Each process says every few seconds which keys it holds; a silent one has gone.
CREATE TABLE ring_holders (
    process text NOT NULL,                  -- host, pid and start, hashed
    ring    text NOT NULL,
    role    text NOT NULL,                  -- 'api', 'worker', 'api+worker'
    key_ids text[] NOT NULL,                -- the sealing one first
    seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (process, ring)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON ring_keys, ring_holders TO steward_app;

-- +goose Down
DROP TABLE ring_holders, ring_keys;
