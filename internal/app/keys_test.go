package app

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/config"
	"steward/internal/rotation"
	"steward/internal/secret"
	"steward/internal/store"
)

// Both processes follow the keys file and say so, and take their names out when they end.
func TestProcessesHoldTheKeysOfTheFile(t *testing.T) {
	t.Parallel()
	cfg := settings(t)
	db, err := store.Open(t.Context(), cfg.Database.URL, 2)
	require.NoError(t, err)
	t.Cleanup(db.Close)
	held := func(roles []string, keys int) func() bool {
		return func() bool {
			for _, ring := range rotation.Names() {
				holders, err := db.ListHolders(t.Context(), store.ListHoldersParams{Ring: ring, Silence: time.Minute})
				if err != nil || len(holders) != len(roles) {
					return false
				}
				for i, h := range holders {
					if h.Role != roles[i] || !h.Follows || len(h.KeyIDs) != keys {
						return false
					}
				}
			}
			return true
		}
	}
	stop := start(t, func(ctx context.Context) error { return Both(ctx, cfg, silent) })
	require.Eventually(t, held([]string{"api", "worker"}, 1), 10*time.Second, 10*time.Millisecond)
	for _, ring := range config.Rings() {
		key, err := config.NewKey()
		require.NoError(t, err)
		require.NoError(t, config.AddKey(cfg.KeysPath(), ring, secret.New(key)))
	}
	require.Eventually(t, held([]string{"api", "worker"}, 2), 2*time.Second, 10*time.Millisecond)
	require.NoError(t, stop())
	require.True(t, held(nil, 0)())
}
