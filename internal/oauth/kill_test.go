package oauth_test

import (
	"bufio"
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/config"
	"steward/internal/egress"
	"steward/internal/oauth"
	"steward/internal/secret"
	"steward/internal/store"
)

// refresher is the role of a process that does nothing but refresh, until it is killed.
const refresher = "STEWARD_TEST_REFRESHER"

func TestMain(m *testing.M) {
	if os.Getenv(refresher) != "" {
		fmt.Fprintln(os.Stderr, refreshForEver(context.Background()))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func refreshForEver(ctx context.Context) error {
	db, err := store.Open(ctx, secret.New(os.Getenv("DATABASE")), 4)
	if err != nil {
		return err
	}
	ring, err := secret.NewRing(secret.New(os.Getenv("KEY")))
	if err != nil {
		return err
	}
	s, err := oauth.New(db, ring, discard(), oauth.Options{
		PublicURL: publicURL, LinkKey: secret.New(os.Getenv("LINKS")), Transport: noTransport{},
		Remote: egress.New(egress.Rules{Everybody: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}),
	})
	if err != nil {
		return err
	}
	version, err := strconv.ParseInt(os.Getenv("VERSION"), 10, 64)
	for err == nil {
		_, version, err = s.Refresh(ctx, "alice", os.Getenv(refresher), version)
		if _, failed := os.Stdout.WriteString("refreshed\n"); failed != nil {
			return failed
		}
	}
	return err
}

// T-19: a process is killed, again and again, at the worst moment: the provider has rotated the refresh token and
// nobody knows the new one. Another process puts the question again within the provider's grace, and nothing is
// lost. Every second time nobody wants the credential: then the note that the dead process has left leads there.
func TestT19RotatedTokenOutlivesKill(t *testing.T) {
	t.Parallel()
	fake := newFake(t)
	fake.grace = time.Minute
	site := newSite(t)
	key, err := config.NewKey()
	require.NoError(t, err)
	site.ring, err = secret.NewRing(secret.New(key))
	require.NoError(t, err)
	s := site.process(t, site.db, outward(t))
	id := site.addServer(t, "", fake.URL+"/mcp")
	name := oauth.Server(id)
	connectFake(t, s, fake, id)
	for round := range 6 {
		before := site.credentialOf(t, "alice", name)
		killed := killRefresher(t, site, fake, key, name, before.Version, round)
		require.Equal(t, killed, site.credentialOf(t, "alice", name).Version, "its last answer was stored by nobody")
		if round%2 == 0 {
			_, _, err = s.Refresh(t.Context(), "alice", name, killed)
			require.NoError(t, err, "round %d", round)
			continue
		}
		require.Eventually(t, func() bool {
			require.NoError(t, s.MendOnce(t.Context()))
			return site.credentialOf(t, "alice", name).Version > killed
		}, 20*time.Second, 50*time.Millisecond)
	}
	var notes int
	require.NoError(t, site.db.Pool.QueryRow(t.Context(), "SELECT count(*) FROM credential_refreshes").Scan(&notes))
	require.Zero(t, notes)
	require.NotContains(t, site.kinds(t), "credential.ended")
}

// killRefresher lets a process refresh some times and kills it between the provider's rotation and its answer. It
// returns the version that is stored then.
func killRefresher(t *testing.T, site *site, fake *fakeAS, key, name string, version int64, times int) int64 {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), refresher+"="+name, "DATABASE="+site.url.Reveal(), "KEY="+key, "LINKS="+site.pepper.Reveal(),
		"VERSION="+strconv.FormatInt(version, 10))
	said, err := child.StdoutPipe()
	require.NoError(t, err)
	var complaint strings.Builder
	child.Stderr = &complaint
	asked, dead := make(chan struct{}), make(chan struct{})
	var count atomic.Int64
	fake.mu.Lock()
	fake.answered = func(url.Values) {
		if count.Add(1) > int64(times) {
			asked <- struct{}{}
			<-dead
		}
	}
	fake.mu.Unlock()
	require.NoError(t, child.Start())
	lines := bufio.NewScanner(said)
	for range times {
		require.True(t, lines.Scan(), "%s", &complaint)
	}
	<-asked
	require.NoError(t, child.Process.Kill())
	_ = child.Wait() // killed
	fake.mu.Lock()
	fake.answered = nil
	fake.mu.Unlock()
	close(dead)
	return site.credentialOf(t, "alice", name).Version
}
