-- name: NotifyChange :exec
-- With the commit of the transaction; one that is rolled back notifies nobody (store.Announce).
SELECT pg_notify('steward_changes', sqlc.arg('change')::text);
