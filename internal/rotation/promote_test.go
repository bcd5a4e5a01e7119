package rotation_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/audit"
	"steward/internal/config"
	"steward/internal/fault"
	"steward/internal/rotation"
	"steward/internal/secret"
)

func TestAddMayBeRepeated(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	old := s.ring(rotation.Codec).Keys.KeyID()
	service := s.service(rotation.Codec)
	id, err := service.Add(t.Context())
	require.NoError(t, err)
	again, err := service.Add(t.Context())
	require.NoError(t, err)
	require.Equal(t, id, again, "one that has not sealed is enough")
	require.Equal(t, []string{old, id}, s.ring(rotation.Codec).Keys.KeyIDs())
	require.NotContains(t, s.ring(rotation.Secrets).Keys.KeyIDs(), id)

	require.NoError(t, service.Promote(t.Context(), id, rotation.Promotion{Told: nobody}))
	third, err := service.Add(t.Context())
	require.NoError(t, err)
	require.NotEqual(t, id, third)
	require.Equal(t, []string{audit.RingKeyAdded, audit.RingKeyPromoted, audit.RingKeyAdded}, s.events())
}

// Cut off between the note and the file, Add leaves a name without a key; the next one makes another key.
func TestAddAfterACut(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.exec("INSERT INTO ring_keys (ring, key_id, added_at) VALUES ('secrets', '11111111', now())")
	id, err := s.service(rotation.Secrets).Add(t.Context())
	require.NoError(t, err)
	require.NotEqual(t, "11111111", id)
	require.Len(t, s.status(rotation.Secrets).Keys, 2, "the name is not shown")
}

// A key that stands in the file but was not added by command may have sealed before; Add does not hand it out.
func TestAddDoesNotTrustWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	key, err := config.NewKey()
	require.NoError(t, err)
	require.NoError(t, config.AddKey(s.file(), "FERNET_KEYS", secret.New(key)))
	unknown := s.ring(rotation.Secrets).Keys.KeyIDs()[1]
	s.start("api", s.ring(rotation.Secrets))
	s.eventually(5*time.Second, "it is known", func() bool { return s.status(rotation.Secrets).Keys[1].Known != nil })
	id, err := s.service(rotation.Secrets).Add(t.Context())
	require.NoError(t, err)
	require.NotEqual(t, unknown, id)
}

func TestPromoteWaitsForEverybody(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	old := s.ring(rotation.Secrets).Keys.KeyID()
	s.start("api", s.ring(rotation.Secrets))
	s.start("worker", s.ring(rotation.Secrets))
	s.eventually(5*time.Second, "both are known", func() bool { return len(s.status(rotation.Secrets).Processes) == 2 })
	service := s.service(rotation.Secrets)
	id, err := service.Add(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{rotation.Sealing, rotation.Opening}, s.states())
	for range 2 { // the second time everything is done already
		require.NoError(t, service.Promote(t.Context(), id, rotation.Promotion{Within: 5 * time.Second, Told: nobody}))
		status := s.status(rotation.Secrets)
		require.Equal(t, []string{rotation.Sealing, rotation.Opening}, s.states())
		require.Equal(t, []string{id, old}, []string{status.Keys[0].ID, status.Keys[1].ID})
		require.Equal(t, 2, status.Keys[0].SealsIn)
		require.NotNil(t, status.Keys[0].Promoted)
		require.Nil(t, status.Keys[0].Demoted)
		require.NotNil(t, status.Keys[1].Demoted)
	}
	require.Equal(t, []string{audit.RingKeyAdded, audit.RingKeyPromoted}, s.events(), "a repetition is the same fact")

	require.NoError(t, service.Promote(t.Context(), old, rotation.Promotion{Within: 5 * time.Second, Told: nobody}))
	require.NoError(t, service.Promote(t.Context(), id, rotation.Promotion{Within: 5 * time.Second, Told: nobody}))
	require.Len(t, s.events(), 4, "there and back are facts of their own")
}

func (s *site) states() (all []string) {
	s.Helper()
	for _, key := range s.status(rotation.Secrets).Keys {
		all = append(all, key.State)
	}
	return all
}

func TestPromoteRefuses(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ring := s.ring(rotation.Secrets)
	service := s.service(rotation.Secrets)
	id, err := service.Add(t.Context())
	require.NoError(t, err)
	err = service.Promote(t.Context(), "00000000", rotation.Promotion{Told: nobody})
	require.True(t, fault.Is(err, fault.NotFound), "%v", err)

	// A process that was just killed, or cannot follow, is named and nothing changes.
	s.exec(`INSERT INTO ring_holders (process, ring, role, host, pid, follows, key_ids) VALUES ('a', 'secrets', 'worker', 'far', 4711, false, $1)`, ring.Keys.KeyIDs())
	var heard []rotation.Process
	err = service.Promote(t.Context(), id, rotation.Promotion{Told: func(p []rotation.Process) { heard = p }})
	require.Equal(t, "key_not_held", fault.CodeOf(err))
	require.ErrorContains(t, err, "worker (pid 4711 on far), whose keys come from its environment")
	require.Len(t, heard, 1)
	require.Equal(t, ring.Keys.KeyID(), s.ring(rotation.Secrets).Keys.KeyID())

	require.NoError(t, service.Promote(t.Context(), id, rotation.Promotion{Force: true, Told: nobody}))
	require.Equal(t, id, s.ring(rotation.Secrets).Keys.KeyID())
	require.Equal(t, rotation.Promoting, s.states()[0])

	// It holds the key now and still seals with the old one: the command fails and may be repeated.
	s.exec(`UPDATE ring_holders SET key_ids = $1, seen_at = now()`, []string{ring.Keys.KeyID(), id})
	err = service.Promote(t.Context(), id, rotation.Promotion{Within: time.Millisecond, Told: nobody})
	require.Equal(t, "not_followed", fault.CodeOf(err))
	s.exec(`UPDATE ring_holders SET key_ids = $1, seen_at = now()`, []string{id, ring.Keys.KeyID()})
	require.NoError(t, service.Promote(t.Context(), id, rotation.Promotion{Told: nobody}))
}

// The keys file is not what processes read whose environment gives the ring: to edit it would only mislead.
func TestRingsOfTheEnvironmentAreNotEdited(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	key, err := config.NewKey()
	require.NoError(t, err)
	ring := s.ring(rotation.Secrets, "FERNET_KEYS="+key)
	service, err := rotation.New(s.db, ring, "cli:test", silent)
	require.NoError(t, err)
	_, err = service.Add(t.Context())
	require.Equal(t, "keys_in_environment", fault.CodeOf(err))
	require.Equal(t, "keys_in_environment", fault.CodeOf(service.Promote(t.Context(), ring.Keys.KeyID(), rotation.Promotion{})))
	require.Equal(t, "keys_in_environment", fault.CodeOf(service.Retire(t.Context(), ring.Keys.KeyID(), rotation.Retirement{})))
	status, err := service.Status(t.Context())
	require.NoError(t, err)
	require.Equal(t, "environment", status.Source)
}
