package drive

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestQuery(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in   searchInput
		want string
	}{
		{searchInput{}, "trashed = false"},
		{searchInput{Query: " Bob's plan\\2 "}, `trashed = false and (name contains 'Bob\'s plan\\2' or fullText contains 'Bob\'s plan\\2')`},
		{searchInput{Kind: "pdf", ModifiedAfter: "2026-11-22"}, "trashed = false and mimeType = 'application/pdf' and modifiedTime > '2026-11-22T00:00:00Z'"},
		{searchInput{ModifiedAfter: "2026-11-22T01:00:00+02:00"}, "trashed = false and modifiedTime > '2026-11-21T23:00:00Z'"},
	} {
		got, err := query(tt.in)
		require.NoError(t, err)
		require.Equal(t, tt.want, got)
	}
	_, err := query(searchInput{ModifiedAfter: "monday"})
	require.ErrorContains(t, err, "modified_after")
}

// FuzzQuoted: whatever the words are, they stay one value of the search.
func FuzzQuoted(f *testing.F) {
	f.Add(`' or trashed = true or name = '`)
	f.Add(`\`)
	f.Fuzz(func(t *testing.T, text string) {
		value := quoted(text)
		inner := strings.NewReplacer(`\\`, "", `\'`, "").Replace(value[1 : len(value)-1])
		require.NotContains(t, inner, `'`)
		require.NotContains(t, inner, `\`)
	})
}
