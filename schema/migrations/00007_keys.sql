-- +goose Up
-- Rotation of key rings while serving: when a key came, sealed, and went; and which processes know it.
-- Keys themselves are never here, only their ids (secret.KeyID).
CREATE TABLE ring_keys (
    ring        text NOT NULL CHECK (ring IN ('secrets', 'codec')),
    key_id      text NOT NULL,
    known_at    timestamptz NOT NULL DEFAULT now(), -- held by a process, or added, for the first time
    added_at    timestamptz,                -- by the command that made it; NULL: nobody knows when it began to seal
    promoted_at timestamptz,                -- a process seals with it since
    demoted_at  timestamptz,                -- no process seals with it since
    retired_at  timestamptz,
    PRIMARY KEY (ring, key_id)
);
-- Each process says every few seconds which keys it holds; a silent one has gone.
CREATE TABLE ring_holders (
    process text NOT NULL,                  -- random, one for each life of a process
    ring    text NOT NULL CHECK (ring IN ('secrets', 'codec')),
    role    text NOT NULL,                  -- 'api', 'worker', 'rewrap'
    host    text NOT NULL,
    pid     integer NOT NULL,
    follows boolean NOT NULL,               -- it reads a changed keys file; false: its keys come from the environment
    key_ids text[] NOT NULL,                -- the sealing one first
    seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (process, ring)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON ring_keys, ring_holders TO steward_app;

-- +goose Down
DROP TABLE ring_holders, ring_keys;
