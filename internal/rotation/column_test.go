package rotation

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"steward/internal/storetest"
)

// A sealed column that is not in the list would keep its old keys alive unseen, and be lost with them.
func TestEverySealedColumnIsListed(t *testing.T) {
	t.Parallel()
	rows, err := storetest.New(t).Pool.Query(t.Context(), `
		SELECT a.attrelid::regclass::text || '.' || a.attname, array_agg(k.attname::text ORDER BY array_position(i.indkey::int2[], k.attnum))
		FROM pg_attribute a
		JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
		LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary
		LEFT JOIN pg_attribute k ON k.attrelid = a.attrelid AND k.attnum = ANY (i.indkey)
		WHERE a.attname LIKE '%\_sealed' AND NOT a.attisdropped
		GROUP BY 1`)
	require.NoError(t, err)
	inSchema := map[string][]string{}
	var name string
	var key []string
	_, err = pgx.ForEachRow(rows, []any{&name, &key}, func() error {
		inSchema[name] = slices.Clone(key)
		return nil
	})
	require.NoError(t, err)
	require.NotEmpty(t, inSchema)
	listed := map[string][]string{}
	for _, c := range sealedColumns() {
		listed[c.String()] = c.key
	}
	require.Empty(t, cmp.Diff(inSchema, listed), "schema against list")
}

func TestATransactionTakesSoMuch(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		sizes []int64
		want  int
	}{
		"small ones":       {[]int64{10, 20, 30}, 3},
		"a large one":      {[]int64{2 * batchBytes, 1}, 1},
		"a large one last": {[]int64{1, 2 * batchBytes}, 1},
		"just as many":     {[]int64{batchBytes / 2, batchBytes / 2, 1}, 2},
	} {
		var all places
		for _, size := range tt.sizes {
			all = append(all, place{size: size})
		}
		require.Len(t, all.fitting(), tt.want, name)
	}
}

func TestRowsHaveNames(t *testing.T) {
	t.Parallel()
	require.Equal(t, "17/3/branch", rowName([]any{int64(17), int32(3), "branch"}))
	require.Equal(t, "00ff", rowName([]any{[]byte{0, 255}}))
	require.Equal(t, "run_steps.items_sealed", fmt.Sprint(column{table: "run_steps", name: "items_sealed"}))
}
