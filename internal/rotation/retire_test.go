package rotation_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/namespace/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"

	"steward/internal/audit"
	"steward/internal/config"
	"steward/internal/fault"
	"steward/internal/rotation"
	"steward/internal/secret"
)

// atOnce waits for no age.
func atOnce() rotation.Retirement {
	return rotation.Retirement{Age: new(time.Duration), Within: 5 * time.Second, Told: nobody}
}

func TestRetire(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.servers(s.sealed(s.ring(rotation.Secrets), "value"))
	ring := s.ring(rotation.Secrets)
	s.start("api", ring)
	s.eventually(5*time.Second, "it is known", func() bool { return len(s.status(rotation.Secrets).Processes) == 1 })
	before, now := s.turn(rotation.Secrets)
	service := s.service(rotation.Secrets)

	for id, want := range map[string]string{now: "promote another", before: "wait another 5m0s", "00000000": "no key"} {
		err := service.Retire(t.Context(), id, rotation.Retirement{Told: nobody})
		require.ErrorContains(t, err, want)
	}
	require.Equal(t, "key_needed", fault.CodeOf(service.Retire(t.Context(), before, atOnce())), "a row is left")
	_, err := service.Rewrap(t.Context(), mute)
	require.NoError(t, err)
	for range 2 { // the second time everything is done already
		require.NoError(t, service.Retire(t.Context(), before, atOnce()))
		require.Equal(t, []string{now}, ring.Keys.KeyIDs())
		require.Len(t, s.status(rotation.Secrets).Keys, 1)
	}
	require.Equal(t, everyKind, s.events())
}

// Cut off between the file and the note, Retire goes on from there.
func TestRetireAfterACut(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	before, _ := s.turn(rotation.Secrets)
	s.exec(`INSERT INTO ring_holders (process, ring, role, host, pid, follows, key_ids) VALUES ('a', 'secrets', 'worker', 'far', 4711, true, $1)`,
		s.ring(rotation.Secrets).Keys.KeyIDs())
	retire := atOnce()
	retire.Within = time.Millisecond
	err := s.service(rotation.Secrets).Retire(t.Context(), before, retire)
	require.Equal(t, "not_followed", fault.CodeOf(err), "the killed one counts for half a minute")
	require.Equal(t, rotation.Leaving, s.states()[1])
	s.exec("DELETE FROM ring_holders")
	require.NoError(t, s.service(rotation.Secrets).Retire(t.Context(), before, atOnce()))
	require.Equal(t, []string{audit.RingKeyAdded, audit.RingKeyPromoted, audit.RingKeyRetired}, s.events())
}

// A process that seals with another key than the file's first may be writing with any key.
func TestRetireWaitsForWhoDoesNotFollow(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	before, _ := s.turn(rotation.Secrets)
	s.exec(`INSERT INTO ring_holders (process, ring, role, host, pid, follows, key_ids) VALUES ('a', 'secrets', 'worker', 'far', 4711, true, $1)`, []string{before})
	err := s.service(rotation.Secrets).Retire(t.Context(), before, atOnce())
	require.Equal(t, "key_needed", fault.CodeOf(err))
	require.ErrorContains(t, err, "4711")
}

// temporal is Temporal's service as far as it is asked here.
type temporal struct {
	workflowservice.WorkflowServiceClient

	retention time.Duration
	count     int64
	err       error
}

func (t *temporal) DescribeNamespace(context.Context, *workflowservice.DescribeNamespaceRequest, ...grpc.CallOption) (*workflowservice.DescribeNamespaceResponse, error) {
	return &workflowservice.DescribeNamespaceResponse{Config: &namespace.NamespaceConfig{WorkflowExecutionRetentionTtl: durationpb.New(t.retention)}}, t.err
}

func (t *temporal) CountWorkflowExecutions(context.Context, *workflowservice.CountWorkflowExecutionsRequest, ...grpc.CallOption) (*workflowservice.CountWorkflowExecutionsResponse, error) {
	return &workflowservice.CountWorkflowExecutionsResponse{Count: t.count}, t.err
}

func TestKeysOfTheCodecOutliveHistories(t *testing.T) {
	t.Parallel()
	day := 24 * time.Hour
	away := &temporal{err: errors.New("temporal is away")}
	for name, tt := range map[string]struct {
		demoted  time.Duration // ago
		age      *time.Duration
		temporal *temporal
		run      string // created and finished, as intervals ago
		want     string // "" retired
	}{
		"long ago":                          {demoted: 8 * day, temporal: &temporal{retention: 7 * day}},
		"within the retention":              {demoted: 6 * day, temporal: &temporal{retention: 7 * day}, want: "wait another 24h0m0s"},
		"a history is left":                 {demoted: 8 * day, temporal: &temporal{retention: 7 * day, count: 3}, want: "3 workflows"},
		"nobody to ask":                     {demoted: 80 * day, temporal: away, want: "--older-than"},
		"nobody to ask, old enough":         {demoted: 8 * day, temporal: away, age: new(7 * day)},
		"nobody to ask, not old enough":     {demoted: 8 * day, temporal: away, age: new(9 * day), want: "wait another"},
		"old enough, but a history is left": {demoted: 8 * day, temporal: &temporal{count: 1}, age: new(7 * day), want: "1 workflows"},
		"a run is open":                     {demoted: 8 * day, temporal: &temporal{retention: 7 * day}, run: "9 days, ", want: "1 workflows"},
		"a run has just ended":              {demoted: 8 * day, temporal: away, age: new(7 * day), run: "9 days, 6 days", want: "1 workflows"},
		"a run ended long ago":              {demoted: 8 * day, temporal: away, age: new(7 * day), run: "9 days, 8 days"},
		"a run began afterwards":            {demoted: 8 * day, temporal: &temporal{retention: 7 * day}, run: "7 days, "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			before, now := s.turn(rotation.Codec)
			s.exec("UPDATE ring_keys SET demoted_at = now() - $1::interval WHERE ring = 'codec' AND key_id = $2", tt.demoted, before)
			if tt.run != "" {
				s.exec(`INSERT INTO automation_runs (owner, actor, workflow_id, instructions_sealed, limits, created_at, finished_at)
					VALUES ('alice', 'alice', 'w', '', '{}', now() - split_part($1, ', ', 1)::interval, now() - nullif(split_part($1, ', ', 2), '')::interval)`, tt.run)
			}
			histories, err := rotation.NewHistories(tt.temporal, "steward")
			require.NoError(t, err)
			err = s.service(rotation.Codec).Retire(t.Context(), before, rotation.Retirement{Age: tt.age, Histories: histories, Told: nobody})
			if tt.want == "" {
				require.NoError(t, err)
				require.Equal(t, []string{now}, s.ring(rotation.Codec).Keys.KeyIDs())
				return
			}
			require.ErrorContains(t, err, tt.want)
			require.Equal(t, []string{now, before}, s.ring(rotation.Codec).Keys.KeyIDs())
		})
	}
}

// A key that was added and never sealed may go at once; of one that is in the file nobody knows since when, it
// is not known what it sealed before it was first seen.
func TestKeysThatNeverSealed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	service := s.service(rotation.Codec)
	added, err := service.Add(t.Context())
	require.NoError(t, err)
	histories, err := rotation.NewHistories(&temporal{retention: time.Hour, count: 1}, "steward")
	require.NoError(t, err)
	retire := rotation.Retirement{Histories: histories, Told: nobody}
	require.NoError(t, service.Retire(t.Context(), added, retire))

	key, err := config.NewKey()
	require.NoError(t, err)
	require.NoError(t, config.AddKey(s.file(), "STEWARD_CODEC_KEYS", secret.New(key)))
	unknown := s.ring(rotation.Codec).Keys.KeyIDs()[1]
	require.ErrorContains(t, service.Retire(t.Context(), unknown, retire), "wait another 1h0m0s")
	s.exec("UPDATE ring_keys SET known_at = now() - interval '2 hours' WHERE key_id = $1", unknown)
	require.ErrorContains(t, service.Retire(t.Context(), unknown, retire), "1 workflows")
}
