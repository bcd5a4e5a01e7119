package rotation_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/config"
	"steward/internal/rotation"
	"steward/internal/secret"
	"steward/internal/store"
	"steward/internal/storetest"
)

// TestMain lets the test binary be the process that is killed (childRewrap).
func TestMain(m *testing.M) {
	if os.Getenv(childData) != "" {
		os.Exit(childRewrap())
	}
	os.Exit(m.Run())
}

var silent = slog.New(slog.DiscardHandler)

// site is a deployment: a database and a data folder with keys.
type site struct {
	*testing.T

	url, superuser secret.String
	db             *store.DB
	data           string
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{T: t, data: t.TempDir()}
	s.url, s.superuser = storetest.URLs(t)
	s.db = s.connect()
	require.NoError(t, config.GenerateKeys(s.file()))
	return s
}

func (s *site) file() string { return filepath.Join(s.data, config.KeysFile) }

func (s *site) connect() *store.DB {
	s.Helper()
	db, err := store.Open(s.Context(), s.url, 4)
	require.NoError(s, err)
	s.Cleanup(db.Close)
	return db
}

// ring is the ring of a process that starts now with these settings besides the keys file.
func (s *site) ring(name string, environment ...string) rotation.Ring {
	s.Helper()
	ring, err := openRing(s.data, name, environment...)
	require.NoError(s, err)
	return ring
}

func openRing(data, name string, environment ...string) (rotation.Ring, error) {
	values := map[string]string{"STEWARD_DATA": data}
	for _, pair := range environment {
		variable, value, _ := strings.Cut(pair, "=")
		values[variable] = value
	}
	cfg, err := config.Load(func(name string) (string, bool) { v, ok := values[name]; return v, ok })
	if err != nil {
		return rotation.Ring{}, err
	}
	return rotation.Open(cfg, name)
}

// service is what a command works with.
func (s *site) service(name string) *rotation.Service {
	s.Helper()
	service, err := rotation.New(s.db, s.ring(name), "cli:test", silent)
	require.NoError(s, err)
	return service
}

// start runs the holder of a process until stop.
func (s *site) start(role string, rings ...rotation.Ring) (stop func()) {
	s.Helper()
	holder, err := rotation.NewHolder(s.connect(), role, silent, rings...)
	require.NoError(s, err)
	ctx, cancel := context.WithCancel(s.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); holder.Run(ctx) }()
	stop = func() { cancel(); <-ended }
	s.Cleanup(stop)
	return stop
}

// exec changes the database behind everybody's back.
func (s *site) exec(sql string, args ...any) {
	s.Helper()
	_, err := s.db.Pool.Exec(s.Context(), sql, args...)
	require.NoError(s, err)
}

// events lists the kinds of the system's chain.
func (s *site) events() []string {
	s.Helper()
	events, err := s.db.ListAudit(s.Context(), store.ListAuditParams{Chain: automation.AuditSystem, PageSize: 100})
	require.NoError(s, err)
	var kinds []string
	for _, e := range events {
		require.NotContains(s, e.Body, "=", "no key in %s", e.Body)
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

func (s *site) status(name string) rotation.Status {
	s.Helper()
	status, err := s.service(name).Status(s.Context())
	require.NoError(s, err)
	return status
}

// eventually waits for what other goroutines are about to do.
func (s *site) eventually(within time.Duration, what string, good func() bool) {
	s.Helper()
	require.Eventually(s, good, within, 5*time.Millisecond, what)
}

var everyKind = []string{audit.RingKeyAdded, audit.RingKeyPromoted, audit.RingKeyRewrapped, audit.RingKeyRetired}

// nobody hears nothing.
func nobody([]rotation.Process) {}
