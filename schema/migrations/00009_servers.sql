-- +goose Up
-- What a registered server is beyond how it is reached: what its publisher says, what its owner decided, how it
-- was last seen, and which of its tools may be used.
ALTER TABLE mcp_servers
    ADD COLUMN title       text NOT NULL DEFAULT '',
    ADD COLUMN website_url text NOT NULL DEFAULT '',
    ADD COLUMN release     text NOT NULL DEFAULT '',       -- the publisher's version of it
    ADD COLUMN tags        text[] NOT NULL DEFAULT '{}',
    ADD COLUMN image       text NOT NULL DEFAULT '',       -- container image
    ADD COLUMN env_schema  json NOT NULL DEFAULT '[]',     -- environment variables it takes (official registry: KeyValueInput)
    ADD COLUMN header_schema json NOT NULL DEFAULT '[]',   -- headers it takes, likewise
    ADD COLUMN reconnect   json NOT NULL DEFAULT '{}',     -- reconnectionOptions of streams, as given
    ADD COLUMN timeout_ms  bigint NOT NULL DEFAULT 0,      -- of one call; 0: the executor's
    ADD COLUMN wire        text NOT NULL DEFAULT '' CHECK (wire IN ('', 'streamable_http', 'sse')), -- how it answered over HTTP last
    ADD COLUMN manifest    json;                           -- the server.json it was imported from

-- A tool's definition as last seen (pin, definition) and as somebody agreed to it. A tool whose two pins differ is
-- quarantined: nobody calls it until its owner has looked at the difference.
ALTER TABLE server_tools
    ADD COLUMN state text NOT NULL DEFAULT 'approved' CHECK (state IN ('approved', 'quarantined', 'rejected')),
    ADD COLUMN approved_pin text NOT NULL DEFAULT '',
    ADD COLUMN approved_definition json,
    ADD COLUMN reviewed_by text NOT NULL DEFAULT '',       -- empty: taken as it was when first seen
    ADD COLUMN reviewed_at timestamptz,
    ADD COLUMN gone boolean NOT NULL DEFAULT false;        -- no longer offered; kept, because it may come back changed
UPDATE server_tools SET approved_pin = pin, approved_definition = definition;

-- What a server's owner says of its tools. It wins over what the server says.
CREATE TABLE tool_overrides (
    server_id   bigint NOT NULL REFERENCES mcp_servers (id) ON DELETE CASCADE,
    tool        text NOT NULL,
    read_only   boolean,                    -- NULL: as the server says
    destructive boolean,
    idempotent  boolean,
    open_world  boolean,
    enabled     boolean NOT NULL DEFAULT true,
    timeout_ms  bigint NOT NULL DEFAULT 0,
    updated_by  text NOT NULL,
    updated_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (server_id, tool)
);

-- How a server was last seen by each of those who call it, in whichever process: a child's words, and what went wrong,
-- may be about its user.
CREATE TABLE server_status (
    owner      text NOT NULL,
    server_id  bigint NOT NULL REFERENCES mcp_servers (id) ON DELETE CASCADE,
    state      text NOT NULL CHECK (state IN ('connected', 'connecting', 'disconnected', 'error')),
    version    bigint NOT NULL,             -- of the settings it was seen with
    error      text NOT NULL DEFAULT '',    -- for people; no secrets
    logs       text[] NOT NULL DEFAULT '{}', -- the last lines of its stderr, redacted
    at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (server_id, owner)
);

-- Sessions of servers that keep state behind an Mcp-Session-Id, so that another process can go on with them.
CREATE TABLE server_sessions (
    owner      text NOT NULL,
    server_id  bigint NOT NULL REFERENCES mcp_servers (id) ON DELETE CASCADE,
    version    bigint NOT NULL,
    session_sealed bytea NOT NULL,          -- the id and the answer to initialize
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (owner, server_id)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON tool_overrides, server_status, server_sessions TO steward_app;

-- +goose Down
DROP TABLE server_sessions, server_status, tool_overrides;
ALTER TABLE server_tools DROP COLUMN state, DROP COLUMN approved_pin, DROP COLUMN approved_definition,
    DROP COLUMN reviewed_by, DROP COLUMN reviewed_at, DROP COLUMN gone;
ALTER TABLE mcp_servers DROP COLUMN title, DROP COLUMN website_url, DROP COLUMN release, DROP COLUMN tags, DROP COLUMN image,
    DROP COLUMN env_schema, DROP COLUMN header_schema, DROP COLUMN reconnect, DROP COLUMN timeout_ms,
    DROP COLUMN wire, DROP COLUMN manifest;
