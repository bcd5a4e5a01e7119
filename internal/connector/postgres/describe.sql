-- One JSON object a table or view that the account may read, as database.Table; $1: one name, with or without its schema.
WITH chosen AS (
    SELECT c.oid, n.nspname, c.relname, c.relkind, c.reltuples, $1::text <> '' AS whole
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
        AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' AND c.relname <> 'steward_calls'
        AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_any_column_privilege(c.oid, 'SELECT')
        AND ($1 = '' OR c.relname = $1 OR n.nspname || '.' || c.relname = $1)
    ORDER BY n.nspname, c.relname
    LIMIT 201
)
SELECT pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
    'schema', nspname,
    'name', relname,
    'kind', CASE relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'foreign table' END,
    'comment', pg_catalog.left(pg_catalog.obj_description(oid, 'pg_class'), 500),
    'row_estimate', CASE WHEN relkind IN ('v', 'f') THEN -1 ELSE reltuples::bigint END,
    'columns', (
        SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
            'name', a.attname,
            'type', pg_catalog.format_type(a.atttypid, a.atttypmod),
            'nullable', NOT a.attnotnull,
            'default', CASE WHEN whole THEN pg_catalog.left(pg_catalog.pg_get_expr(d.adbin, d.adrelid), 500) END,
            'comment', pg_catalog.left(pg_catalog.col_description(chosen.oid, a.attnum), 500)
        ) ORDER BY a.attnum)
        FROM (
            SELECT * FROM pg_catalog.pg_attribute WHERE attrelid = chosen.oid AND attnum > 0 AND NOT attisdropped
                AND pg_catalog.has_column_privilege(attrelid, attnum, 'SELECT') ORDER BY attnum LIMIT 201
        ) a
        LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    ),
    'primary_key', (
        SELECT pg_catalog.jsonb_agg(a.attname ORDER BY k.place)
        FROM pg_catalog.pg_constraint p, pg_catalog.unnest(p.conkey) WITH ORDINALITY k (attnum, place), pg_catalog.pg_attribute a
        WHERE p.conrelid = chosen.oid AND p.contype = 'p' AND a.attrelid = p.conrelid AND a.attnum = k.attnum
    ),
    'foreign_keys', (
        SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
            'columns', (
                SELECT pg_catalog.jsonb_agg(a.attname ORDER BY k.place)
                FROM pg_catalog.unnest(f.conkey) WITH ORDINALITY k (attnum, place), pg_catalog.pg_attribute a
                WHERE a.attrelid = f.conrelid AND a.attnum = k.attnum
            ),
            'table', (
                SELECT n.nspname || '.' || c.relname
                FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = f.confrelid
            ),
            'references', (
                SELECT pg_catalog.jsonb_agg(a.attname ORDER BY k.place)
                FROM pg_catalog.unnest(f.confkey) WITH ORDINALITY k (attnum, place), pg_catalog.pg_attribute a
                WHERE a.attrelid = f.confrelid AND a.attnum = k.attnum
            )
        ) ORDER BY f.conname)
        FROM pg_catalog.pg_constraint f WHERE f.conrelid = chosen.oid AND f.contype = 'f'
    ),
    'indexes', CASE WHEN whole THEN (
        SELECT pg_catalog.jsonb_agg(pg_catalog.left(pg_catalog.pg_get_indexdef(i.indexrelid), 500) ORDER BY i.indexrelid)
        FROM pg_catalog.pg_index i WHERE i.indrelid = chosen.oid
    ) END
))
FROM chosen
ORDER BY nspname, relname
