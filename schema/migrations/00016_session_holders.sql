-- +goose Up
-- Each process has sessions of its own with a server, and another goes on with one only when nobody has it: so there
-- may be several for an owner and a server. Who has one holds an advisory lock on its id.
ALTER TABLE server_sessions DROP CONSTRAINT server_sessions_pkey,
    ADD COLUMN id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY;
CREATE INDEX server_sessions_of ON server_sessions (owner, server_id);

-- +goose Down
DELETE FROM server_sessions s USING server_sessions newer
    WHERE s.owner = newer.owner AND s.server_id = newer.server_id AND s.id < newer.id;
DROP INDEX server_sessions_of;
ALTER TABLE server_sessions DROP COLUMN id, ADD PRIMARY KEY (owner, server_id);
