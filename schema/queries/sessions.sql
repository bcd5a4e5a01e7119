-- name: KeepRunSession :one
-- Notes where the run's session with a server lives. moves is 0 the first time; no row comes back when it is where
-- it was.
INSERT INTO run_sessions (run_id, server_id, worker) VALUES (@run_id, @server_id, @worker)
ON CONFLICT (run_id, server_id) DO UPDATE SET worker = EXCLUDED.worker, since = now(), moves = run_sessions.moves + 1
WHERE run_sessions.worker <> EXCLUDED.worker
RETURNING moves;
