package postgres

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/fault"
)

// installed makes a folder with programs that only tell their version.
func installed(t *testing.T, version string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	for _, name := range []string{"initdb", "postgres"} {
		script := "#!/bin/sh\necho '" + name + " (PostgreSQL) " + version + "'\n"
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(script), 0o700))
	}
	return dir
}

func TestMajor(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]int{"15.18 (Debian 15.18-0+deb12u1)": 15, "18beta1": 18, "9.6.24": 9, "devel": 0} {
		require.Equal(t, want, majorOf(t.Context(), installed(t, version)), version)
	}
	onlyServer := installed(t, "15.1")
	require.NoError(t, os.Remove(filepath.Join(onlyServer, "initdb")))
	require.Zero(t, majorOf(t.Context(), onlyServer))
}

func TestChoose(t *testing.T) {
	t.Parallel()
	found := []candidate{{"/fifteen", 15}, {"/eighteen", 18}, {"/eighteen-too", 18}}
	for made, want := range map[string]string{"": "/eighteen", "15": "/fifteen", "18": "/eighteen"} {
		dir, err := choose(found, made)
		require.NoError(t, err)
		require.Equal(t, want, dir, "made by %q", made)
	}
	_, err := choose(found, "16")
	require.Equal(t, "postgres_version", fault.CodeOf(err))
	_, err = choose(nil, "")
	require.Equal(t, CodeMissing, fault.CodeOf(err))
}

func TestSettingDecides(t *testing.T) {
	dir := installed(t, "17.1")
	t.Setenv(BinVariable, dir)
	got, err := find(t.Context(), "", "", nil)
	require.NoError(t, err)
	require.Equal(t, dir, got)
	_, err = find(t.Context(), installed(t, "9.6"), "", nil)
	require.Equal(t, CodeMissing, fault.CodeOf(err), "too old")
}

func TestLinkOnPathIsResolved(t *testing.T) {
	dir, bin := installed(t, "17.1"), t.TempDir()
	require.NoError(t, os.Symlink(filepath.Join(dir, "postgres"), filepath.Join(bin, "postgres")))
	t.Setenv("PATH", bin)
	require.Equal(t, dir, usualFolders(t.Context())[0])
}
