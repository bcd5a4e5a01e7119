package rotation_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/config"
	"steward/internal/rotation"
	"steward/internal/secret"
	"steward/internal/store"
)

func TestHolderFollowsTheFileAndSaysSo(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	secrets, codec := s.ring(rotation.Secrets), s.ring(rotation.Codec)
	first := secrets.Keys.KeyID()
	stop := s.start("worker", secrets, codec)
	s.eventually(5*time.Second, "it is announced", func() bool { return len(s.status(rotation.Codec).Processes) == 1 })
	p := s.status(rotation.Secrets).Processes[0]
	require.Equal(t, "worker", p.Role)
	require.Equal(t, int32(os.Getpid()), p.PID)
	require.True(t, p.Follows)
	require.Equal(t, []string{first}, p.Keys)

	key, err := config.NewKey()
	require.NoError(t, err)
	require.NoError(t, config.AddKey(s.file(), "FERNET_KEYS", secret.New(key)))
	s.eventually(time.Second, "it opens with the new key", func() bool { return len(secrets.Keys.KeyIDs()) == 2 })
	second := secrets.Keys.KeyIDs()[1]
	require.NoError(t, config.PromoteKey(s.file(), "FERNET_KEYS", second))
	s.eventually(time.Second, "it seals with the new key", func() bool { return secrets.Keys.KeyID() == second })
	s.eventually(time.Second, "and says so", func() bool { return s.status(rotation.Secrets).Keys[0].SealsIn == 1 })
	require.Len(t, codec.Keys.KeyIDs(), 1)

	// What nobody could work with changes nothing; the next good file does.
	good, err := os.ReadFile(s.file())
	require.NoError(t, err)
	for _, bad := range []string{"FERNET_KEYS=short\n", "", strings.ReplaceAll(string(good), "FERNET_KEYS", "OTHER")} {
		require.NoError(t, os.WriteFile(s.file(), []byte(bad), 0o600))
		require.Never(t, func() bool { return secrets.Keys.KeyID() != second }, 50*time.Millisecond, 10*time.Millisecond)
	}
	require.NoError(t, os.WriteFile(s.file(), good, 0o600))
	require.NoError(t, config.RetireKey(s.file(), "FERNET_KEYS", first))
	s.eventually(time.Second, "it follows again", func() bool { return len(secrets.Keys.KeyIDs()) == 1 })

	stop()
	require.Empty(t, s.status(rotation.Secrets).Processes, "it has taken its name out")
}

// An announcement that is under way when the process ends is waited for: done after the names were taken out, it
// would put them back.
func TestHolderEndsInTheMiddleOfAnAnnouncement(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	secrets := s.ring(rotation.Secrets)
	stop := s.start("worker", secrets)
	s.eventually(5*time.Second, "it is announced", func() bool { return len(s.status(rotation.Secrets).Processes) == 1 })

	held, err := s.db.Pool.Begin(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { _ = held.Rollback(context.Background()) }) // it is committed below, if all goes well
	_, err = held.Exec(t.Context(), "LOCK TABLE ring_keys IN EXCLUSIVE MODE")
	require.NoError(t, err)
	key, err := config.NewKey()
	require.NoError(t, err)
	require.NoError(t, config.AddKey(s.file(), "FERNET_KEYS", secret.New(key)))
	s.eventually(2*time.Second, "an announcement waits", func() bool {
		var waiting int
		require.NoError(t, s.db.Pool.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&waiting))
		return waiting == 1
	})
	ended := make(chan struct{})
	go func() { defer close(ended); stop() }()
	require.Never(t, func() bool {
		select {
		case <-ended:
			return true
		default:
			return false
		}
	}, 100*time.Millisecond, 10*time.Millisecond)
	require.NoError(t, held.Commit(t.Context()))
	<-ended
	require.Empty(t, s.status(rotation.Secrets).Processes, "it has taken its name out")
	var noted int
	require.NoError(t, s.db.Pool.QueryRow(t.Context(), "SELECT count(*) FROM ring_keys WHERE ring = 'secrets'").Scan(&noted))
	require.Equal(t, 2, noted, "the announcement was finished")
}

func TestKeysFromTheEnvironmentStay(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	key, err := config.NewKey()
	require.NoError(t, err)
	ring := s.ring(rotation.Secrets, "FERNET_KEYS="+key)
	require.Empty(t, ring.File)
	s.start("api", ring)
	s.eventually(5*time.Second, "it is announced", func() bool { return len(s.status(rotation.Secrets).Processes) == 1 })
	p := s.status(rotation.Secrets).Processes[0]
	require.False(t, p.Follows)
	require.Equal(t, ring.Keys.KeyIDs(), p.Keys)
	require.Contains(t, p.String(), "restart")
}

func TestSilentProcessesAreForgotten(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.exec(`INSERT INTO ring_holders (process, ring, role, host, pid, follows, key_ids, seen_at) VALUES
		('a', 'secrets', 'api', 'h', 1, true, '{11111111}', now() - interval '29 seconds'),
		('b', 'secrets', 'api', 'h', 2, true, '{11111111}', now() - interval '31 seconds')`)
	living := s.status(rotation.Secrets).Processes
	require.Len(t, living, 1)
	require.Equal(t, int32(1), living[0].PID)
	s.start("worker", s.ring(rotation.Secrets))
	s.eventually(5*time.Second, "its row is gone", func() bool {
		var n int
		require.NoError(t, s.db.Pool.QueryRow(t.Context(), "SELECT count(*) FROM ring_holders WHERE process <> 'a'").Scan(&n))
		return n == 1
	})
}

// Without a folder to watch, or a database to tell, a process goes on with the keys that it has.
func TestHolderWithoutFileOrDatabase(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ring := s.ring(rotation.Secrets)
	held := ring.Keys.KeyIDs()
	ring.File = s.file() + "/gone/keys.env"
	admin, err := store.Open(t.Context(), s.superuser, 1)
	require.NoError(t, err)
	t.Cleanup(admin.Close)
	_, err = admin.Pool.Exec(t.Context(), "REVOKE ALL ON ring_holders FROM steward_app")
	require.NoError(t, err)
	s.start("api", ring)()
	require.Equal(t, held, ring.Keys.KeyIDs())
}
