package doctor

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/launch/process"
)

// TestMain lets the test binary become a child.
func TestMain(m *testing.M) {
	process.Become()
	os.Exit(m.Run())
}

func TestChildren(t *testing.T) {
	t.Parallel()
	require.Equal(t, Good, children(t.Context(), nil).State)
}
