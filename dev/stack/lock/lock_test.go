package lock_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/dev/stack/lock"
)

func TestSecondHolderIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "run", "lock")
	first, err := lock.Acquire(path)
	require.NoError(t, err)

	_, err = lock.Acquire(path)
	require.ErrorIs(t, err, lock.ErrHeld)
	require.ErrorContains(t, err, fmt.Sprintf("(process %d)", os.Getpid()))

	require.NoError(t, first.Release())
	second, err := lock.Acquire(path)
	require.NoError(t, err)
	require.NoError(t, second.Release())
}

func TestFileOfADeadProcessIsNoLock(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	require.NoError(t, os.WriteFile(path, []byte("1\n"), 0o600)) // process 1 lives, but holds nothing
	l, err := lock.Acquire(path)
	require.NoError(t, err)
	require.NoError(t, l.Release())
}
