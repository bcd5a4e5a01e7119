-- name: ListPackages :many
SELECT sqlc.embed(packages), coalesce(s.enabled, false) AS enabled
FROM packages LEFT JOIN mcp_servers s ON s.id = packages.server_id ORDER BY packages.id;

-- name: FindPackages :many
-- By the server's name first, which is one's own; by the package's name there may be several.
SELECT sqlc.embed(packages), coalesce(s.enabled, false) AS enabled
FROM packages LEFT JOIN mcp_servers s ON s.id = packages.server_id
WHERE packages.server_name = sqlc.arg('server_name') OR packages.name = sqlc.arg('name') ORDER BY packages.id;

-- name: GetPackage :one
SELECT * FROM packages WHERE id = @id;

-- name: GetServerPackage :one
SELECT * FROM packages WHERE server_id = sqlc.arg('server_id')::bigint;

-- name: InsertPackage :one
-- Takes the place of an installation that failed; no row if the name is taken.
INSERT INTO packages (server_name, name, runtime, settings_sealed, request, wanted, status, stage, workflow_id, created_by)
VALUES (@server_name, @name, @runtime, @settings_sealed, @request, @wanted, 'installing', 'accepted', @workflow_id, @created_by)
ON CONFLICT (server_name) DO UPDATE SET name = EXCLUDED.name, runtime = EXCLUDED.runtime, settings_sealed = EXCLUDED.settings_sealed,
    request = EXCLUDED.request, wanted = EXCLUDED.wanted, status = EXCLUDED.status, stage = EXCLUDED.stage, error = '', error_code = '',
    workflow_id = EXCLUDED.workflow_id, created_by = EXCLUDED.created_by, created_at = now(), updated_at = now()
WHERE packages.status = 'failed'
RETURNING *;

-- name: BeginPackageChange :execrows
-- Takes the lock, if no change is under way.
UPDATE packages SET status = @status, wanted = @wanted, stage = 'accepted', error = '', error_code = '', workflow_id = @workflow_id, updated_at = now()
WHERE id = @id AND status = ANY (sqlc.arg('from_status')::text[]);

-- name: SetPackageStage :execrows
-- Every write of a change names its workflow: one that has lost the lock writes nothing.
UPDATE packages SET stage = @stage, updated_at = now()
WHERE id = @id AND workflow_id = @workflow_id AND status IN ('installing', 'upgrading', 'removing');

-- name: SetPackageNext :execrows
UPDATE packages SET next_folder = @next_folder, stage = @stage, updated_at = now()
WHERE id = @id AND workflow_id = @workflow_id AND status IN ('installing', 'upgrading');

-- name: SwitchPackage :execrows
UPDATE packages SET server_id = sqlc.arg('server_id')::bigint, previous = version, version = @version, previous_folder = folder, folder = @folder,
    next_folder = '', entry = @entry, integrity = @integrity, lock = @lock, scripts = @scripts, settings_sealed = @settings_sealed,
    status = 'installed', stage = '', error = '', error_code = '',
    upgraded_at = CASE WHEN installed_at IS NULL THEN NULL ELSE now() END, installed_at = coalesce(installed_at, now()), updated_at = now()
WHERE id = @id AND workflow_id = @workflow_id AND status IN ('installing', 'upgrading');

-- name: FailPackage :execrows
-- What ran before goes on running.
UPDATE packages SET status = CASE WHEN installed_at IS NULL THEN 'failed' ELSE 'installed' END, stage = '', next_folder = '',
    error = @error, error_code = @error_code, updated_at = now()
WHERE id = @id AND workflow_id = @workflow_id AND status IN ('installing', 'upgrading', 'removing');

-- name: DeletePackage :execrows
DELETE FROM packages WHERE id = @id AND workflow_id = @workflow_id AND status = 'removing';

-- name: SetPackageLatest :exec
UPDATE packages SET latest = @latest, latest_at = now() WHERE id = @id;

-- name: ListPackageFolders :many
SELECT folder, previous_folder, next_folder FROM packages;

-- name: ListStalePackageChanges :many
-- Changes of which nothing was heard for a while.
SELECT id, workflow_id, status, wanted FROM packages
WHERE status IN ('installing', 'upgrading', 'removing') AND updated_at < now() - sqlc.arg('older_than')::interval ORDER BY id LIMIT @page_size;

-- name: AdminServerExists :one
SELECT EXISTS (SELECT FROM mcp_servers WHERE owner IS NULL AND name = @name);
