package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMeet(t *testing.T) {
	t.Parallel()
	var brought []string
	thing := func(name string, there, comes bool) need {
		return need{
			name: name,
			met:  func(context.Context) (bool, error) { return there, nil },
			bring: func(context.Context) error {
				brought = append(brought, name)
				there = comes
				return nil
			},
		}
	}
	require.NoError(t, meet(t.Context(), []need{thing("a", true, true), thing("b", false, true)}))
	require.Equal(t, []string{"b"}, brought, "only what is missing is brought")
	require.ErrorContains(t, meet(t.Context(), []need{thing("c", false, false)}), "c was installed and still is not usable")

	broken := need{name: "d", met: func(context.Context) (bool, error) { return false, errors.New("no disk") }}
	require.ErrorContains(t, meet(t.Context(), []need{broken}), "look for d: no disk")
}

func TestNPMToolsAreInstalledAgainWhenTheLockFileChanges(t *testing.T) {
	t.Parallel()
	dir := npmTools(t.TempDir())
	_, err := dir.met(t.Context())
	require.Error(t, err, "no lock file")

	require.NoError(t, os.WriteFile(dir.lock, []byte("1"), 0o600))
	met := func() bool {
		met, err := dir.met(t.Context())
		require.NoError(t, err)
		return met
	}
	require.False(t, met())
	require.NoError(t, os.Mkdir(filepath.Dir(dir.installed), 0o700))
	require.NoError(t, os.WriteFile(dir.installed, []byte("1"), 0o600))
	require.True(t, met())
	require.NoError(t, os.WriteFile(dir.lock, []byte("2"), 0o600))
	require.False(t, met())
}

// A lock file pins versions and checksums; where they come from is for each machine to say.
func TestLockFileNamesNoRegistry(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("package-lock.json")
	require.NoError(t, err)
	var lock struct {
		Packages map[string]struct{ Version, Integrity, Resolved string }
	}
	require.NoError(t, json.Unmarshal(text, &lock))
	require.NotEmpty(t, lock.Packages)
	for name, p := range lock.Packages {
		require.Empty(t, p.Resolved, name)
		require.True(t, name == "" || strings.HasPrefix(p.Integrity, "sha512-"), "%s has no checksum", name)
	}
	var wanted struct{ Dependencies map[string]string }
	text, err = os.ReadFile("package.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &wanted))
	for name, version := range wanted.Dependencies {
		require.Equal(t, version, lock.Packages["node_modules/"+name].Version, "%s is pinned exactly", name)
	}
}
