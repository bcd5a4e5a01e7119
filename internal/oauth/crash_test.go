package oauth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"steward/internal/oauth"
	"steward/internal/oauth/oauthtest"
	"steward/internal/secret"
)

// superuser runs a statement beside the processes.
func (s *site) superuser(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, s.admin.Reveal())
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, sql)
	return errors.Join(err, conn.Close(ctx))
}

// endHolder ends the session that holds a credential while the provider answers, as the kernel does when the
// process dies.
const endHolder = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
	WHERE datname = current_database() AND state = 'idle in transaction'`

// T-19: the database breaks between the provider's answer and the commit. The process has the rotated token
// still, and stores it.
func TestT19AnswerSurvivesALostConnection(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	site.server.Set(func(r *oauthtest.Rules) { r.Rotate = true })
	s := site.process(t, site.db)
	first := connect(t, s, "alice", readMail).Credential.Version
	broken := make(chan error, 1)
	site.server.Set(func(r *oauthtest.Rules) {
		r.Token = func(http.ResponseWriter, url.Values) bool {
			broken <- site.superuser(context.WithoutCancel(t.Context()), endHolder)
			return false
		}
	})
	_, second, err := s.Refresh(t.Context(), "alice", provider, first)
	require.NoError(t, err)
	require.NoError(t, <-broken)
	require.Greater(t, second, first)
	site.server.Set(func(r *oauthtest.Rules) { r.Token = nil })
	_, _, err = s.Refresh(t.Context(), "alice", provider, second)
	require.NoError(t, err, "the rotated token was kept")
	require.Equal(t, 2, site.server.Refreshes())
}

// T-19: the process dies there (it can store nothing any more). Nobody has used the tokens; the next refresh
// has the refresh token from before. That is enough where they do not change, as at Google; where they rotate,
// a person consents again, and nothing is asked twice.
func TestT19DeathBetweenAnswerAndCommit(t *testing.T) {
	t.Parallel()
	for name, rotate := range map[string]bool{"as at Google": false, "rotating": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			site := newSite(t)
			site.server.Set(func(r *oauthtest.Rules) { r.Rotate = rotate })
			s, next := site.process(t, site.db), site.process(t, site.open(t))
			connect(t, s, "alice", readMail)
			before := site.credential(t, "alice")
			require.NoError(t, site.superuser(t.Context(), "REVOKE UPDATE ON credentials FROM steward_app; GRANT UPDATE (reason) ON credentials TO steward_app"))
			token, _, err := s.Refresh(t.Context(), "alice", provider, before.Version)
			require.Error(t, err)
			require.Equal(t, secret.String{}, token, "what is not stored is not used")
			require.NoError(t, site.superuser(t.Context(), "GRANT UPDATE ON credentials TO steward_app"))
			require.Equal(t, before, site.credential(t, "alice"))
			require.Equal(t, 1, site.server.Refreshes())

			_, version, err := next.Refresh(t.Context(), "alice", provider, before.Version)
			if !rotate {
				require.NoError(t, err)
				require.Greater(t, version, before.Version)
				return
			}
			_, ok := errors.AsType[*oauth.ConsentError](err)
			require.True(t, ok, "%v", err)
			_, _, err = next.Refresh(t.Context(), "alice", provider, before.Version)
			require.Error(t, err)
			require.Equal(t, 2, site.server.Refreshes())
		})
	}
}

// gate lets questions to the token endpoint wait: each sends what opens it.
func (s *site) gate() <-chan chan struct{} {
	arrived := make(chan chan struct{}, 64)
	s.server.Set(func(r *oauthtest.Rules) {
		r.Token = func(http.ResponseWriter, url.Values) bool {
			open := make(chan struct{})
			arrived <- open
			<-open
			return false
		}
	})
	return arrived
}

// T-19: the lock of a process that dies is free at once.
func TestT19DeathFreesTheLock(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	s, next := site.process(t, site.db), site.process(t, site.open(t))
	version := connect(t, s, "alice", readMail).Credential.Version
	arrived := site.gate()
	results := make(chan error, 2)
	refresh := func(s *oauth.Service) {
		_, _, err := s.Refresh(t.Context(), "alice", provider, version)
		results <- err
	}
	go refresh(s)
	dying := <-arrived
	go refresh(next)
	require.Eventually(t, func() bool {
		var waiting int
		err := site.db.Pool.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&waiting)
		return err == nil && waiting == 1
	}, 10*time.Second, 5*time.Millisecond)
	require.Empty(t, arrived, "one at a time")
	require.NoError(t, site.superuser(t.Context(), endHolder))
	close(<-arrived) // the next one's
	require.NoError(t, <-results)
	close(dying)
	require.NoError(t, <-results, "it finds what the other has stored")
	require.Equal(t, 2, site.server.Refreshes())
}

// A provider that hangs must not take the pool of a process from everybody else.
func TestHangingProviderLeavesThePool(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	s := site.process(t, site.db)
	const owners = 7
	for i := range owners {
		connect(t, s, fmt.Sprint("user", i), readMail)
	}
	arrived := site.gate()
	results := make(chan error, 10*owners)
	for i := range 10 * owners {
		go func() {
			owner := fmt.Sprint("user", i%owners)
			_, _, err := s.Refresh(t.Context(), owner, provider, 1<<40)
			results <- err
		}()
	}
	var held []chan struct{}
	for range 4 {
		held = append(held, <-arrived)
	}
	require.LessOrEqual(t, site.db.Pool.Stat().AcquiredConns(), int32(5), "70 callers")
	site.credential(t, "user0")
	require.Empty(t, arrived)
	for _, open := range held {
		close(open)
	}
	for range owners - 4 {
		close(<-arrived)
	}
	for range 10 * owners {
		require.NoError(t, <-results)
	}
	require.Equal(t, owners, site.server.Refreshes())
}

// Whoever shares a flight may give up without ending it for the others.
func TestFlightOutlivesItsFirstCaller(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	s := site.process(t, site.db)
	version := connect(t, s, "alice", readMail).Credential.Version
	arrived := site.gate()
	impatient, give := context.WithCancel(t.Context())
	results := make(chan error, 1)
	go func() {
		_, _, err := s.Refresh(impatient, "alice", provider, version)
		results <- err
	}()
	open := <-arrived
	give()
	require.ErrorIs(t, <-results, context.Canceled)
	close(open)
	_, later, err := s.Refresh(t.Context(), "alice", provider, version)
	require.NoError(t, err)
	require.Greater(t, later, version)
	require.Equal(t, 1, site.server.Refreshes())
}
