package database_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/connector/database"
)

func TestRows(t *testing.T) {
	t.Parallel()
	rows := database.NewRows([]string{"b", "", "b", "b_2", "a"}, 0)
	more, err := rows.Add([]any{1, nil, "x", true, json.RawMessage(`{"z": 1}`)})
	require.NoError(t, err)
	require.True(t, more)
	doc, err := json.Marshal(rows.Answer())
	require.NoError(t, err)
	require.Equal(t, `{"columns":["b","column_2","b_2","b_2_2","a"],"rows":[{"b":1,"column_2":null,"b_2":"x","b_2_2":true,"a":{"z":1}}],"row_count":1,"truncated":false}`, string(doc)) //nolint:testifylint // the order is what is tested

	_, err = rows.Add([]any{1})
	require.Error(t, err, "a value for each column")
	_, err = rows.Add([]any{1, 2, 3, 4, make(chan int)})
	require.Error(t, err)
	empty, err := json.Marshal(database.NewRows(nil, 0).Answer())
	require.NoError(t, err)
	require.JSONEq(t, `{"columns":[],"rows":[],"row_count":0,"truncated":false}`, string(empty))
}

func TestRowsAreBounded(t *testing.T) {
	t.Parallel()
	for most, want := range map[int]int{0: database.MostRows, -1: database.MostRows, 7: 7, 5000: database.MostRows} {
		rows, n := database.NewRows([]string{"n"}, most), 0
		for more := true; more; n++ {
			var err error
			more, err = rows.Add([]any{n})
			require.NoError(t, err)
		}
		got := rows.Answer()
		require.Equal(t, want, got.RowCount)
		require.True(t, got.Truncated)
		require.NotEmpty(t, got.Note)
		require.Equal(t, want+1, n, "the first that is too many ends it")
	}
	// However long names and values are, the whole stays below the limit.
	for _, long := range []int{1, 1000, 100_000, 2_000_000} {
		rows := database.NewRows([]string{strings.Repeat("c", 1+long/10), "v"}, 0)
		for more := true; more; {
			var err error
			more, err = rows.Add([]any{1, strings.Repeat("x", long)})
			require.NoError(t, err)
		}
		doc, err := json.Marshal(rows.Answer())
		require.NoError(t, err)
		require.LessOrEqual(t, len(doc), database.MostBytes)
		require.True(t, rows.Answer().Truncated)
	}
}

func TestPlain(t *testing.T) {
	t.Parallel()
	for want, value := range map[any]any{
		"text": []byte("text"), "/w==": []byte{0xff}, "gA==": "\x80", "2026-11-21T18:50:05.25Z": time.Date(2026, 11, 21, 18, 50, 5, 250e6, time.UTC),
		int64(1<<53 - 1): int64(1<<53 - 1), "9007199254740992": int64(1 << 53), "-9007199254740992": int64(-1 << 53), "18446744073709551615": uint64(math.MaxUint64),
		1.5: 1.5, "NaN": math.NaN(), "+Inf": math.Inf(1), float32(0.1): float32(0.1), true: true,
	} {
		require.Equal(t, want, database.Plain(value))
	}
}

// FuzzRows: whatever a database says, the answer is JSON that holds it, of bounded size.
func FuzzRows(f *testing.F) {
	f.Add("name", "value", []byte{0xff}, int64(math.MinInt64), math.Inf(-1))
	f.Add("", "\x00\u2028</script>", []byte("x"), int64(0), 0.1)
	f.Add("row_2", strings.Repeat("ü", 40), []byte{}, int64(1<<53), math.NaN())
	f.Fuzz(func(t *testing.T, name, text string, raw []byte, n int64, x float64) {
		rows := database.NewRows([]string{name, name, "row_2", "", ""}, 3)
		for range 5 {
			if _, err := rows.Add([]any{text, raw, n, x, nil}); err != nil {
				t.Fatal(err)
			}
		}
		doc, err := json.Marshal(rows.Answer())
		require.NoError(t, err)
		require.LessOrEqual(t, len(doc), database.MostBytes)
		var got struct {
			Columns []string         `json:"columns"`
			Rows    []map[string]any `json:"rows"`
		}
		require.NoError(t, json.Unmarshal(doc, &got))
		require.Len(t, got.Columns, 5)
		for _, row := range got.Rows {
			require.Len(t, row, 5, "no two columns have the same name")
		}
	})
}

func TestDescribeIsBounded(t *testing.T) {
	t.Parallel()
	wide := database.Table{Name: "wide", Columns: make([]database.Column, database.MostColumns+1)}
	got, err := database.Describe([]database.Table{wide, {Name: "narrow"}})
	require.NoError(t, err)
	require.Len(t, got.Tables, 2)
	require.Len(t, got.Tables[0].Columns, database.MostColumns)
	require.True(t, got.Truncated)
	require.NotNil(t, got.Tables[1].Columns, "a list is never null")

	many, err := database.Describe(make([]database.Table, database.MostTables+1))
	require.NoError(t, err)
	require.Len(t, many.Tables, database.MostTables)
	require.True(t, many.Truncated)

	long, err := database.Describe([]database.Table{{Comment: strings.Repeat("x", 100<<10)}, {Comment: strings.Repeat("x", 100<<10)}})
	require.NoError(t, err)
	require.Len(t, long.Tables, 1)
	none, err := json.Marshal(database.Description{Tables: []database.Table{}})
	require.NoError(t, err)
	require.JSONEq(t, `{"tables":[],"truncated":false}`, string(none))
}
