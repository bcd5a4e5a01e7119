package config

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A complaint of the parser names a field, which must lead to one variable.
func TestFieldNamesAreUnique(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, row := range rows() {
		require.Empty(t, seen[row.field], "%s and %s", seen[row.field], row.Name)
		seen[row.field] = row.Name
	}
	require.Equal(t, "STEWARD_DATA", rows()[0].Name, "Load takes the folder's default from the first row")
}
