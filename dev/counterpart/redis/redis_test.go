package redis_test

import (
	"testing"

	driver "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"steward/dev/counterpart/redis"
)

func TestServersAreApart(t *testing.T) {
	t.Parallel()
	a, b := redis.Start(t, redis.Options{}), redis.Start(t, redis.Options{TLS: true})
	require.Empty(t, a.CA)
	require.NotEmpty(t, b.CA)
	require.Equal(t, "OK", a.Do("SET", "k", "v"))
	require.Nil(t, b.Do("GET", "k"))
}

func TestReaderReads(t *testing.T) {
	t.Parallel()
	s := redis.Start(t, redis.Options{})
	s.Do("SET", "k", "v")
	account := s.Reader()
	client := driver.NewClient(&driver.Options{Addr: s.Address(), Username: account.Username, Password: account.Password, DisableIdentity: true})
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	require.Equal(t, "v", client.Get(t.Context(), "k").Val())
	require.ErrorContains(t, client.Set(t.Context(), "k", "w", 0).Err(), "NOPERM")
}

func TestDigestSeesEveryChange(t *testing.T) {
	t.Parallel()
	s := redis.Start(t, redis.Options{})
	seen := map[string]bool{s.Digest(): true}
	for _, change := range [][]any{{"SET", "k", "v"}, {"SET", "k", "w"}, {"EXPIRE", "k", 100}, {"RENAME", "k", "l"}, {"HSET", "h", "f", "v"}, {"HSET", "h", "f", "w"}} {
		s.Do(change...)
		require.False(t, seen[s.Digest()], change)
		seen[s.Digest()] = true
	}
}
