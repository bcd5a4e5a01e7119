-- +goose Up
CREATE TABLE api_keys (
    id           text PRIMARY KEY,          -- the public part of the key, looked up by
    name         text NOT NULL,
    mac          bytea NOT NULL,            -- HMAC-SHA256 of the whole key under the pepper
    role         text NOT NULL,
    tenants      text[] NOT NULL,           -- owners it may act for; '*' all
    scopes       text[] NOT NULL,
    created_by   text NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    last_used_at timestamptz,
    revoked_at   timestamptz
);
-- Tokens that were logged out before they expired.
CREATE TABLE revoked_tokens (
    jti        text PRIMARY KEY,
    owner      text NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX revoked_tokens_expiry ON revoked_tokens (expires_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON api_keys, revoked_tokens TO steward_app;

-- +goose Down
DROP TABLE revoked_tokens, api_keys;
