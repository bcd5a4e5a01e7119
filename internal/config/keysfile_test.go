package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/config"
	"steward/internal/fault"
	"steward/internal/secret"
)

func read(t *testing.T, path string) map[string]string {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	out := map[string]string{}
	for line := range strings.Lines(string(raw)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			require.Empty(t, out[name], "%s is there twice", name)
			out[name] = value
		}
	}
	return out
}

func TestGenerateKeys(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "new", config.KeysFile)
	require.NoError(t, config.GenerateKeys(path))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	require.Len(t, read(t, path), 5)

	before, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, config.GenerateKeys(path))
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(before), string(after), "a second time changes nothing")
	left, err := filepath.Glob(path + ".*")
	require.NoError(t, err)
	require.Equal(t, []string{path + ".lock"}, left, "no temporary file stays")
}

func TestGenerateKeysKeepsWhatIsThere(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), config.KeysFile)
	require.NoError(t, os.WriteFile(path, []byte("# mine\nFERNET_KEYS=kept\nOTHER=x\n"), 0o600))
	require.NoError(t, config.GenerateKeys(path))
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(raw), "# mine\nFERNET_KEYS=kept\nOTHER=x\nSTEWARD_CODEC_KEYS="), "%s", raw)
}

func TestGenerateKeysTogether(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), config.KeysFile)
	seen := make([]map[string]string, 8)
	var wg sync.WaitGroup
	for i := range seen {
		wg.Go(func() {
			if err := config.GenerateKeys(path); err == nil {
				seen[i] = read(t, path)
			}
		})
	}
	wg.Wait()
	for _, keys := range seen {
		require.Equal(t, seen[0], keys, "everybody works with the same keys")
		require.Len(t, keys, 5)
	}
}

func TestRotation(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), config.KeysFile)
	require.NoError(t, config.GenerateKeys(path))
	ring := func() *secret.Ring {
		ring, err := secret.NewRing(secret.New(read(t, path)["FERNET_KEYS"]))
		require.NoError(t, err)
		return ring
	}
	first := ring().KeyID()

	key, err := config.NewKey()
	require.NoError(t, err)
	require.NoError(t, config.AddKey(path, "FERNET_KEYS", secret.New(key)))
	second := ring().KeyIDs()[1]
	require.Equal(t, first, ring().KeyID(), "a new key only opens")
	require.True(t, fault.Is(config.RetireKey(path, "FERNET_KEYS", first), fault.Conflict), "the sealing key stays")
	require.NoError(t, config.PromoteKey(path, "FERNET_KEYS", second))
	require.Equal(t, []string{second, first}, ring().KeyIDs())
	require.NoError(t, config.RetireKey(path, "FERNET_KEYS", first))
	require.Equal(t, []string{second}, ring().KeyIDs())

	require.True(t, fault.Is(config.PromoteKey(path, "FERNET_KEYS", first), fault.NotFound))
	require.True(t, fault.Is(config.AddKey(path, "STEWARD_SIGNING_KEY", secret.New(key)), fault.Invalid))
	before := read(t, path)
	require.Error(t, config.AddKey(path, "FERNET_KEYS", secret.New(key)), "it is there")
	require.Error(t, config.AddKey(path, "FERNET_KEYS", secret.New("short")))
	require.Equal(t, before, read(t, path))
}

func TestRingsFollowTheKeysFileUnlessTheEnvironmentGivesThem(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	path := filepath.Join(data, config.KeysFile)
	require.NoError(t, config.GenerateKeys(path))
	key, err := config.NewKey()
	require.NoError(t, err)
	cfg, err := config.Load(lookup(t, map[string]string{"STEWARD_DATA": data, "STEWARD_CODEC_KEYS": key}))
	require.NoError(t, err)
	require.Equal(t, path, cfg.KeysPath())
	require.Equal(t, path, cfg.RingFile("FERNET_KEYS"))
	require.Empty(t, cfg.RingFile("STEWARD_CODEC_KEYS"))

	list, err := config.ReadRing(path, "FERNET_KEYS")
	require.NoError(t, err)
	require.True(t, list.Equal(cfg.Keys.Secrets))
	_, err = config.ReadRing(path, "OTHER")
	require.True(t, fault.Is(err, fault.NotFound))
	require.NoError(t, os.Chmod(path, 0o644))
	_, err = config.ReadRing(path, "FERNET_KEYS")
	require.ErrorContains(t, err, "0600")
	_, err = config.ReadRing(path+"x", "FERNET_KEYS")
	require.ErrorIs(t, err, os.ErrNotExist)
}
