package postgres_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"steward/internal/connector"
	"steward/internal/connector/database"
)

func describe(t *testing.T, link connector.Link, arguments map[string]any) (out database.Description, err error) {
	t.Helper()
	err = newAttempt("DB_DESCRIBE", arguments).run(t, link, &out)
	return out, err
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.exec("ANALYZE campaigns")
	link := p.as(reader)
	got, err := describe(t, link, map[string]any{})
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(database.Description{Tables: []database.Table{
		{
			Schema: "public", Name: "ads", Kind: "table", Rows: -1, PrimaryKey: []string{"id"},
			Columns:     []database.Column{{Name: "id", Type: "integer"}, {Name: "campaign", Type: "integer", Nullable: true}, {Name: "note", Type: "text", Nullable: true}},
			ForeignKeys: []database.ForeignKey{{Columns: []string{"campaign"}, Table: "public.campaigns", References: []string{"id"}}},
		},
		{
			Schema: "public", Name: "campaigns", Kind: "table", Comment: "What was spent", Rows: 2, PrimaryKey: []string{"id"},
			Columns: []database.Column{
				{Name: "id", Type: "integer"},
				{Name: "campaign_name", Type: "text"},
				{Name: "spend", Type: "integer", Nullable: true, Comment: "in dollars"},
				{Name: "clicks", Type: "integer", Nullable: true},
			},
		},
		{
			Schema: "public", Name: "spends", Kind: "view", Rows: -1,
			Columns: []database.Column{{Name: "campaign_name", Type: "text", Nullable: true}, {Name: "spend", Type: "integer", Nullable: true}},
		},
	}}, got))
}

func TestDescribeOneTable(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	link := p.as(reader)
	for _, name := range []string{"ads", "public.ads"} {
		got, err := describe(t, link, map[string]any{"table": name})
		require.NoError(t, err)
		require.Len(t, got.Tables, 1)
		require.Equal(t, "'none'::text", got.Tables[0].Columns[2].Default)
		require.Equal(t, []string{"CREATE UNIQUE INDEX ads_pkey ON public.ads USING btree (id)"}, got.Tables[0].Indexes)
	}
	for _, name := range []string{"hidden", "nothing", "ads'; DROP TABLE ads; --", "pg_catalog.pg_authid"} {
		_, err := describe(t, link, map[string]any{"table": name})
		require.True(t, failure(t, err).Answered, name)
	}
}

func TestDescribeOfManyTablesIsCut(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.exec("DO $$ BEGIN FOR n IN 1..250 LOOP EXECUTE format('CREATE TABLE many_%s (a int, b text)', n); END LOOP; END $$; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
	got, err := describe(t, p.as(reader), map[string]any{})
	require.NoError(t, err)
	require.Len(t, got.Tables, 200)
	require.True(t, got.Truncated)
}
