-- name: InsertConnection :execrows
-- No row: the owner has one of this name, or as many as anybody may have.
INSERT INTO connections (id, owner, kind, name, place, offers, settings_sealed)
SELECT @id, @owner, @kind, @name, @place, @offers, @settings_sealed
WHERE (SELECT count(*) FROM connections c WHERE c.owner = @owner) < sqlc.arg('most')::bigint
ON CONFLICT (owner, name) DO NOTHING;

-- name: ListConnections :many
SELECT * FROM connections WHERE owner = @owner ORDER BY created_at, id;

-- name: GetConnection :one
SELECT * FROM connections WHERE id = @id AND owner = @owner;

-- name: ConnectionNamed :one
SELECT EXISTS (SELECT FROM connections WHERE owner = @owner AND name = @name);

-- name: DeleteConnection :one
DELETE FROM connections WHERE id = @id AND owner = @owner RETURNING *;
