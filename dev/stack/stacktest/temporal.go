package stacktest

import (
	"bytes"
	"errors"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/dev/stack/lock"
)

// TemporalBinary is bin/steward-temporal, built when it is missing or out of date: 1.5 s when it is neither, minutes
// in an empty build cache. The flags are those of the Makefile, whose work is then not done twice.
func TemporalBinary(t testing.TB) string {
	t.Helper()
	module, err := exec.CommandContext(t.Context(), "go", "env", "GOMOD").Output()
	require.NoError(t, err)
	root := filepath.Dir(string(bytes.TrimSpace(module)))
	binary := filepath.Join(root, "bin", "steward-temporal")
	unlock := wait(t, filepath.Join(root, "bin", ".steward-temporal.lock"))
	defer unlock()
	build := exec.CommandContext(t.Context(), "go", "build", "-C", filepath.Join(root, "dev", "temporal"),
		"-trimpath", "-ldflags", "-s -w", "-o", binary, ".")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	return binary
}

// wait takes the lock when the test binaries before this one are done with it.
func wait(t testing.TB, path string) func() {
	for {
		held, err := lock.Acquire(path)
		if err == nil {
			return func() { require.NoError(t, held.Release()) }
		}
		require.ErrorIs(t, err, lock.ErrHeld)
		select {
		case <-t.Context().Done():
			require.NoError(t, errors.New("the test ended"))
		case <-time.After(100 * time.Millisecond):
		}
	}
}
