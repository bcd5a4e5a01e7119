package postgres

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/fault"
)

func TestAccountMustReachItsFolder(t *testing.T) {
	t.Parallel()
	a := &account{name: "somebody", uid: 4_000_000, gid: 4_000_000} // neither us nor anybody here
	for name, test := range map[string]struct {
		mode  os.FileMode
		enter bool
	}{
		"closed":        {0o700, false},
		"readable only": {0o744, false},
		"open":          {0o711, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			top, err := os.MkdirTemp("", "steward-test-") // the parent of t.TempDir is closed itself
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, os.RemoveAll(top)) })
			inner := filepath.Join(top, "inner")
			require.NoError(t, os.Mkdir(inner, 0o711))
			require.NoError(t, os.Chmod(top, test.mode))
			require.Equal(t, test.enter, a.canEnter(inner))
			if !test.enter {
				require.Equal(t, "folder_unreachable", fault.CodeOf(a.own(filepath.Join(inner, "postgres"))))
			}
		})
	}
	require.True(t, (*account)(nil).canEnter("/no/such/folder"), "without an account we go as ourselves")
}
