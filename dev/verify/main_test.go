package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/config"
)

func TestVerify(t *testing.T) {
	t.Parallel()
	for _, doc := range documents() {
		path := filepath.Join(t.TempDir(), doc.path)
		require.NoError(t, os.WriteFile(path, []byte("before\n"+doc.begin+"stale\n"+doc.end+"after\n"), 0o600))
		doc.path = path

		require.ErrorContains(t, doc.verify(false), "run make generate")
		require.NoError(t, doc.verify(true))
		require.NoError(t, doc.verify(false), "what was written is current")

		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(string(text), "before\n"+doc.begin))
		require.True(t, strings.HasSuffix(string(text), doc.end+"after\n"))
		require.NotContains(t, string(text), "stale")
		for _, row := range config.Table() {
			require.Contains(t, string(text), row.Name)
		}

		require.NoError(t, os.WriteFile(path, []byte("no marks\n"), 0o600))
		require.ErrorContains(t, doc.verify(true), "lost the marks")
		require.NoError(t, os.Remove(path))
		require.Error(t, doc.verify(true))
	}
}

func TestParts(t *testing.T) {
	t.Parallel()
	rows := []config.Row{{Name: "A", Default: "1", Doc: "x | y"}, {Name: "FERNET_KEYS", Secret: true, Doc: "keys"}}
	require.Equal(t, "| Variable | Default | What it is |\n|---|---|---|\n| `A` | `1` | x \\| y |\n| `FERNET_KEYS` 🔒 |  | keys |\n", table(rows))
	require.Equal(t, "\n# x | y\n#A=1\n\n# keys\nFERNET_KEYS=\n\n", environment(rows))
}
