-- +goose Up
-- Databases that users have connected with a form. Everything that was filled in is sealed together: a connection
-- string, for one, holds the password. What people see of it stands beside it.
CREATE TABLE connections (
    id              text PRIMARY KEY,          -- db_<random>: part of the names of its tools
    owner           text NOT NULL,
    kind            text NOT NULL,             -- the connector
    name            text NOT NULL,             -- the owner's, unique among theirs
    place           text NOT NULL,             -- where it is, for people: never a password
    offers          text[] NOT NULL,           -- boxes that were ticked and open further tools
    settings_sealed bytea NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (owner, name)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON connections TO steward_app;

-- +goose Down
DROP TABLE connections;
