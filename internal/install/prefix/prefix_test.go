package prefix_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/install/prefix"
)

func put(t testing.TB, folder, name, content string) {
	t.Helper()
	file := filepath.Join(folder, filepath.FromSlash(name))
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(t, os.WriteFile(file, []byte(content), 0o644))
}

func sealed(t *testing.T) (folder, integrity string) {
	t.Helper()
	folder = t.TempDir()
	put(t, folder, "node_modules/a/index.js", "one")
	put(t, folder, "node_modules/b/index.js", "two")
	require.NoError(t, os.Symlink("../a/index.js", filepath.Join(folder, "node_modules/b/a.js")))
	integrity, err := prefix.Digest(t.Context(), folder)
	require.NoError(t, err)
	return folder, integrity
}

func TestAnyChangeIsFound(t *testing.T) {
	t.Parallel()
	at := func(folder, name string) string { return filepath.Join(folder, filepath.FromSlash(name)) }
	for name, tamper := range map[string]func(t *testing.T, folder string){
		"a byte": func(t *testing.T, folder string) { put(t, folder, "node_modules/a/index.js", "onf") },
		"a byte under the old time": func(t *testing.T, folder string) {
			file := at(folder, "node_modules/a/index.js")
			before, err := os.Stat(file)
			require.NoError(t, err)
			put(t, folder, "node_modules/a/index.js", "onf")
			require.NoError(t, os.Chtimes(file, time.Now(), before.ModTime()))
		},
		"a new file": func(t *testing.T, folder string) { put(t, folder, "node_modules/c/index.js", "") },
		"a lost file": func(t *testing.T, folder string) {
			require.NoError(t, os.Remove(at(folder, "node_modules/b/index.js")))
		},
		"a mode": func(t *testing.T, folder string) {
			require.NoError(t, os.Chmod(at(folder, "node_modules/a/index.js"), 0o755))
		},
		"a file in place of another": func(t *testing.T, folder string) {
			put(t, folder, "other", "onf")
			require.NoError(t, os.Rename(at(folder, "other"), at(folder, "node_modules/a/index.js")))
		},
		"a link's target": func(t *testing.T, folder string) {
			require.NoError(t, os.Remove(at(folder, "node_modules/b/a.js")))
			require.NoError(t, os.Symlink("index.js", at(folder, "node_modules/b/a.js")))
		},
		"an empty folder": func(t *testing.T, folder string) {
			require.NoError(t, os.Mkdir(at(folder, "node_modules/d"), 0o755))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder, integrity := sealed(t)
			v := prefix.NewVerifier()
			require.NoError(t, v.Verify(t.Context(), folder, integrity))
			require.NoError(t, v.Verify(t.Context(), folder, integrity))
			tamper(t, folder)
			require.ErrorIs(t, v.Verify(t.Context(), folder, integrity), prefix.ErrChanged)
			require.ErrorIs(t, prefix.NewVerifier().Verify(t.Context(), folder, integrity), prefix.ErrChanged)
		})
	}
}

func TestWhatLeadsOutsideIsNeverSealed(t *testing.T) {
	t.Parallel()
	for name, target := range map[string]string{
		"absolute": "/etc/passwd", "above": "../../secret", "through a folder of the same beginning": "../" + "x-evil/file", "nowhere": "gone",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder, integrity := sealed(t)
			v := prefix.NewVerifier()
			require.NoError(t, v.Verify(t.Context(), folder, integrity))
			require.NoError(t, os.Symlink(target, filepath.Join(folder, "link")))
			_, err := prefix.Digest(t.Context(), folder)
			require.ErrorIs(t, err, prefix.ErrForeign)
			require.ErrorIs(t, v.Verify(t.Context(), folder, integrity), prefix.ErrForeign)
		})
	}
}

func TestInterpreterOfAVirtualEnvironmentMayLieOutside(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	put(t, folder, "bin/tool", "x")
	require.NoError(t, os.Symlink("/usr/bin/env", filepath.Join(folder, "bin/python3")))
	_, err := prefix.Digest(t.Context(), folder)
	require.ErrorIs(t, err, prefix.ErrForeign, "it is no virtual environment")
	put(t, folder, "pyvenv.cfg", "home = /usr/bin")
	first, err := prefix.Digest(t.Context(), folder)
	require.NoError(t, err)
	require.NoError(t, os.Remove(filepath.Join(folder, "bin/python3")))
	require.NoError(t, os.Symlink("/bin/sh", filepath.Join(folder, "bin/python3")))
	second, err := prefix.Digest(t.Context(), folder)
	require.NoError(t, err)
	require.NotEqual(t, first, second)
}

func TestOwnedFoldersAreReadableForEverybody(t *testing.T) {
	t.Parallel()
	folder, _ := sealed(t)
	script, text := filepath.Join(folder, "node_modules/a/index.js"), filepath.Join(folder, "node_modules/b/index.js")
	require.NoError(t, os.Chmod(script, 0o700|os.ModeSetuid))
	require.NoError(t, os.Chmod(text, 0o600))
	require.NoError(t, os.Chmod(filepath.Dir(text), 0o700))
	if os.Getuid() == 0 {
		require.NoError(t, os.Chown(text, 1, 1))
	}
	require.NoError(t, prefix.Own(t.Context(), folder))
	for name, mode := range map[string]os.FileMode{script: 0o755, text: 0o644, filepath.Dir(text): os.ModeDir | 0o755, folder: os.ModeDir | 0o755} {
		info, err := os.Stat(name)
		require.NoError(t, err)
		require.Equal(t, mode, info.Mode(), name)
		stat, ok := info.Sys().(*syscall.Stat_t)
		require.True(t, ok)
		require.EqualValues(t, os.Getuid(), stat.Uid)
	}
}
