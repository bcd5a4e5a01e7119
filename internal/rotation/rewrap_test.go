package rotation_test

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"steward/internal/config"
	"steward/internal/fault"
	"steward/internal/rotation"
	"steward/internal/secret"
)

// mute is for rewraps whose progress nobody follows.
func mute(rotation.Rewrapped) {}

var binding = secret.Binding{Owner: "alice", Purpose: "test", Ref: "1"}

// turn adds a key and promotes it while nobody runs. It returns the ids of the key before and of this one.
func (s *site) turn(name string) (before, now string) {
	s.Helper()
	before = s.ring(name).Keys.KeyID()
	service := s.service(name)
	now, err := service.Add(s.Context())
	require.NoError(s, err)
	require.NoError(s, service.Promote(s.Context(), now, rotation.Promotion{Within: time.Second, Told: nobody}))
	return before, now
}

// servers registers servers with these values, numbered from 1.
func (s *site) servers(values ...[]byte) {
	s.Helper()
	for i, value := range values {
		s.exec(`INSERT INTO mcp_servers (id, name, transport, env_sealed) VALUES ($1::int, 'server-' || $1::int, 'stdio', $2)`, i+1, value)
	}
}

func (s *site) sealed(ring rotation.Ring, text string) []byte {
	s.Helper()
	sealed, err := ring.Keys.Seal(binding, []byte(text))
	require.NoError(s, err)
	return sealed
}

func TestEveryColumnIsSealedAnew(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ring := s.ring(rotation.Secrets)
	one := s.sealed(ring, "value")
	s.exec(`INSERT INTO mcp_servers (name, transport, env_sealed, headers_sealed) VALUES ('a', 'stdio', $1, $1)`, one)
	s.exec(`INSERT INTO credentials (owner, provider, subject, scopes, access_sealed, refresh_sealed, expires_at) VALUES ('alice', 'google', 's', '{}', $1, $1, now())`, one)
	s.exec(`INSERT INTO oauth_flows (state_digest, browser_digest, purpose, provider, verifier_sealed, nonce, scopes, expires_at)
		VALUES ('\x00ff', '\x', 'login', 'google', $1, 'n', '{}', now())`, one)
	s.exec(`INSERT INTO automation_runs (id, owner, actor, workflow_id, instructions_sealed, output_sealed, limits) VALUES (1, 'alice', 'alice', 'w', $1, $1, '{}')`, one)
	s.exec(`INSERT INTO run_steps (run_id, step, temporal_run_id, items_sealed, result) VALUES (1, 1, 'branch', $1, '{}')`, one)
	s.exec(`INSERT INTO run_compactions (run_id, step, temporal_run_id, items_sealed) VALUES (1, 1, 'branch', $1)`, one)
	s.exec(`INSERT INTO tool_calls (id, run_id, owner, step, position, call_id, function_name, tool_name, class, pin, arguments_sealed, result_sealed, digest)
		VALUES ('c', 1, 'alice', 1, 1, 'c', 'f', 't', 'read', 'p', $1, $1, 'd')`, one)
	s.exec(`INSERT INTO decisions (id, run_id, call, owner, kind, digest, pin, expires_at, new_arguments_sealed) VALUES ('d', 1, 'c', 'alice', 'approval', 'd', 'p', now(), $1)`, one)

	before, now := s.turn(rotation.Secrets)
	service := s.service(rotation.Secrets)
	counts, err := service.Count(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string]int64{before: 12}, counts)
	result, err := service.Rewrap(t.Context(), mute)
	require.NoError(t, err)
	require.Equal(t, rotation.Rewrapped{Key: now, Resealed: 12, Total: 12, Column: result.Column}, result)
	counts, err = service.Count(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string]int64{now: 12}, counts)

	again, err := service.Rewrap(t.Context(), mute)
	require.NoError(t, err)
	require.Zero(t, again.Resealed)
}

// Values from before keys were marked, values of a key that is gone, and values that are damaged.
func TestWhatCannotBeOpenedStaysAndIsNamed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ring := s.ring(rotation.Secrets)
	_, unmarked := secret.SealedBy(s.sealed(ring, "value"))
	key, err := config.NewKey()
	require.NoError(t, err)
	stranger := s.sealed(s.ring(rotation.Secrets, "FERNET_KEYS="+key), "value")
	damaged := s.sealed(ring, "value")
	damaged[len(damaged)-6] = map[bool]byte{true: 'B', false: 'A'}[damaged[len(damaged)-6] == 'A']
	s.servers(unmarked, stranger, damaged, []byte("x"), s.sealed(ring, "value"))

	before, now := s.turn(rotation.Secrets)
	service := s.service(rotation.Secrets)
	for range 2 {
		result, err := service.Rewrap(t.Context(), mute)
		require.NoError(t, err)
		require.Equal(t, []rotation.Failure{
			{Column: "mcp_servers.env_sealed", Row: "2", Reason: secret.CodeNoKey},
			{Column: "mcp_servers.env_sealed", Row: "3", Reason: secret.CodeNoKey},
			{Column: "mcp_servers.env_sealed", Row: "4", Reason: secret.CodeMalformed},
		}, result.Failures)
	}
	for id, want := range map[int][]byte{2: stranger, 3: damaged, 4: []byte("x")} {
		require.True(t, bytes.Equal(want, s.server(id)), "row %d is as it was", id)
	}
	plain, err := s.ring(rotation.Secrets).Keys.Open(binding, s.server(1))
	require.NoError(t, err)
	require.Equal(t, "value", string(plain))
	status := s.status(rotation.Secrets)
	require.Equal(t, int64(1), status.Unmarked)
	require.Equal(t, []string{now, before}, []string{status.Keys[0].ID, status.Keys[1].ID})
	require.Equal(t, []int64{2, 1, 1}, []int64{*status.Keys[0].Rows, *status.Keys[1].Rows, *status.Keys[2].Rows})
	require.Equal(t, rotation.Missing, status.Keys[2].State)
	err = service.Retire(t.Context(), before, rotation.Retirement{Age: new(time.Duration), Told: nobody})
	require.ErrorContains(t, err, "2 stored values")
}

func (s *site) server(id int) (sealed []byte) {
	s.Helper()
	require.NoError(s, s.db.Pool.QueryRow(s.Context(), "SELECT env_sealed FROM mcp_servers WHERE id = $1", id).Scan(&sealed))
	return sealed
}

// Who writes a row is not waited for with locks held, and what was written is what is sealed anew.
func TestARowThatIsBeingWrittenComesLater(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ring := s.ring(rotation.Secrets)
	s.servers(s.sealed(ring, "first"), s.sealed(ring, "second"))
	s.turn(rotation.Secrets)
	tx, err := s.db.Pool.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), "UPDATE mcp_servers SET env_sealed = $1 WHERE id = 1", s.sealed(ring, "newer"))
	require.NoError(t, err)

	left := make(chan struct{})
	var once sync.Once
	done := make(chan rotation.Rewrapped, 1)
	service := s.service(rotation.Secrets)
	go func() {
		result, err := service.Rewrap(t.Context(), func(r rotation.Rewrapped) {
			if r.Resealed == 1 {
				once.Do(func() { close(left) })
			}
		})
		if err != nil {
			t.Error(err)
		}
		done <- result
	}()
	<-left
	require.NoError(t, tx.Commit(t.Context()))
	require.Equal(t, int64(2), (<-done).Resealed)
	plain, err := s.ring(rotation.Secrets).Keys.Open(binding, s.server(1))
	require.NoError(t, err)
	require.Equal(t, "newer", string(plain))
}

func TestSeveralAtOnceShareTheWork(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ring := s.ring(rotation.Secrets)
	var inserts pgx.Batch
	for i := range 1000 {
		inserts.Queue(`INSERT INTO mcp_servers (name, transport, env_sealed, headers_sealed) VALUES ($1, 'stdio', $2, $2)`,
			strings.Repeat("x", i+1), s.sealed(ring, "value"))
	}
	require.NoError(t, s.db.Pool.SendBatch(t.Context(), &inserts).Close())
	_, now := s.turn(rotation.Secrets)
	results := make([]rotation.Rewrapped, 3)
	var working sync.WaitGroup
	for i := range results {
		service := s.service(rotation.Secrets)
		working.Go(func() {
			var err error
			if results[i], err = service.Rewrap(t.Context(), mute); err != nil {
				t.Error(err)
			}
		})
	}
	working.Wait()
	require.Equal(t, int64(2000), results[0].Resealed+results[1].Resealed+results[2].Resealed, "no value twice")
	counts, err := s.service(rotation.Secrets).Count(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string]int64{now: 2000}, counts)
}

func TestRewrapRefuses(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, err := s.service(rotation.Codec).Rewrap(t.Context(), mute)
	require.Equal(t, "not_rewrappable", fault.CodeOf(err))

	key, err := config.NewKey()
	require.NoError(t, err)
	s.start("api", s.ring(rotation.Secrets, "FERNET_KEYS="+key))
	s.eventually(5*time.Second, "it is known", func() bool { return len(s.status(rotation.Secrets).Processes) == 1 })
	_, err = s.service(rotation.Secrets).Rewrap(t.Context(), mute)
	require.Equal(t, "key_not_held", fault.CodeOf(err), "the process could not open what we would seal")
	require.ErrorContains(t, err, "environment")
}
