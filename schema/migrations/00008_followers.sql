-- +goose Up
-- Who follows which chain. PostgreSQL lets one transaction with a NOTIFY commit at a time in the whole server,
-- so events of runs that nobody watches are not announced (8 writers: 2,600 events/s with, 4,600 without).
-- Unlogged: after a crash it is empty, and every follower has lost its connection and comes again.
CREATE UNLOGGED TABLE audit_followers (
    chain    text NOT NULL,
    follower text NOT NULL,       -- one process
    until    timestamptz NOT NULL, -- a follower that died without a word stops counting
    PRIMARY KEY (chain, follower)
);

-- audit_follow registers under the lock that audit_append holds to its commit: an event that was not announced
-- to this follower is committed when this returns, and the follower reads it then.
-- +goose StatementBegin
CREATE FUNCTION audit_follow(p_chain text, p_follower text, p_ttl interval) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM FROM audit_chains WHERE chain = p_chain FOR UPDATE;
    INSERT INTO audit_followers (chain, follower, until) VALUES (p_chain, p_follower, clock_timestamp() + p_ttl)
    ON CONFLICT (chain, follower) DO UPDATE SET until = EXCLUDED.until;
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION audit_append(p_chain text, p_key text, p_kind text, p_actor text, p_body text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_seq  bigint;
    v_head bytea;
    v_at   timestamptz;
    v_hash bytea;
BEGIN
    INSERT INTO audit_chains (chain) VALUES (p_chain) ON CONFLICT DO NOTHING;
    SELECT seq + 1, head INTO v_seq, v_head FROM audit_chains WHERE chain = p_chain FOR UPDATE;
    IF EXISTS (SELECT 1 FROM audit_events WHERE chain = p_chain AND event_key = p_key) THEN
        RETURN 0;
    END IF;
    v_at := clock_timestamp(); -- under the lock: times of a chain go forward with its numbers
    v_hash := sha256(v_head || convert_to(
        v_seq::text || E'\n' || (extract(epoch FROM v_at) * 1000000)::bigint::text || E'\n' ||
        p_key || E'\n' || p_kind || E'\n' || p_actor || E'\n' || p_body || E'\n', 'UTF8'));
    INSERT INTO audit_events (chain, seq, event_key, at, kind, actor, body, hash)
    VALUES (p_chain, v_seq, p_key, v_at, p_kind, p_actor, p_body, v_hash);
    UPDATE audit_chains SET seq = v_seq, head = v_hash WHERE chain = p_chain;
    IF EXISTS (SELECT 1 FROM audit_followers WHERE chain = p_chain AND until > v_at) THEN
        PERFORM pg_notify('steward_audit', p_chain || ' ' || v_seq);
    END IF;
    RETURN v_seq;
END $$;
-- +goose StatementEnd

REVOKE ALL ON FUNCTION audit_follow(text, text, interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit_follow(text, text, interval) TO steward_app;
GRANT SELECT, DELETE ON audit_followers TO steward_app;

-- +goose Down
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION audit_append(p_chain text, p_key text, p_kind text, p_actor text, p_body text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_seq  bigint;
    v_head bytea;
    v_at   timestamptz;
    v_hash bytea;
BEGIN
    INSERT INTO audit_chains (chain) VALUES (p_chain) ON CONFLICT DO NOTHING;
    SELECT seq + 1, head INTO v_seq, v_head FROM audit_chains WHERE chain = p_chain FOR UPDATE;
    IF EXISTS (SELECT 1 FROM audit_events WHERE chain = p_chain AND event_key = p_key) THEN
        RETURN 0;
    END IF;
    v_at := clock_timestamp();
    v_hash := sha256(v_head || convert_to(
        v_seq::text || E'\n' || (extract(epoch FROM v_at) * 1000000)::bigint::text || E'\n' ||
        p_key || E'\n' || p_kind || E'\n' || p_actor || E'\n' || p_body || E'\n', 'UTF8'));
    INSERT INTO audit_events (chain, seq, event_key, at, kind, actor, body, hash)
    VALUES (p_chain, v_seq, p_key, v_at, p_kind, p_actor, p_body, v_hash);
    UPDATE audit_chains SET seq = v_seq, head = v_hash WHERE chain = p_chain;
    PERFORM pg_notify('steward_audit', p_chain || ' ' || v_seq);
    RETURN v_seq;
END $$;
-- +goose StatementEnd
DROP FUNCTION audit_follow(text, text, interval);
DROP TABLE audit_followers;
