package vault_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/auth/authtest"
	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/secret"
	"steward/internal/store"
	"steward/internal/storetest"
	"steward/internal/vault"
)

const canary = "canary-7f3a91"

// site is a database with an admin's server and bob's, and a process that keeps the vault.
type site struct {
	*testing.T
	*vault.Vault

	db       *store.DB
	keys     secret.String
	ring     *secret.Ring
	everyone int64 // an admin's server
	bobs     int64 // bob's own
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{T: t, db: storetest.New(t), keys: authtest.Key(t)}
	s.Vault, s.ring = s.process()
	s.everyone = s.server(nil, "mcp-github")
	bob := "bob"
	s.bobs = s.server(&bob, "mcp-github")
	return s
}

// process is another one over the same database.
func (s *site) process() (*vault.Vault, *secret.Ring) {
	s.Helper()
	ring, err := secret.NewRing(s.keys)
	require.NoError(s, err)
	v, err := vault.New(s.db, ring)
	require.NoError(s, err)
	return v, ring
}

func (s *site) server(owner *string, name string) int64 {
	s.Helper()
	var id int64
	err := s.db.Pool.QueryRow(s.Context(), `INSERT INTO mcp_servers (owner, name, transport, command, trusted)
		VALUES ($1, $2, 'stdio', 'true', false) RETURNING id`, owner, name).Scan(&id)
	require.NoError(s, err)
	return id
}

func (s *site) set(owner, name, value string) {
	s.Helper()
	require.NoError(s, s.Set(s.Context(), s.change(owner, name), secret.New(value)))
}

func (s *site) change(owner, name string) vault.Change {
	return vault.Change{Owner: owner, Actor: owner, Server: s.everyone, Name: name}
}

func (s *site) read(v *vault.Vault, owner string) (map[string]string, int64) {
	s.Helper()
	kept, err := v.For(s.Context(), owner, s.everyone)
	require.NoError(s, err)
	values := map[string]string{}
	for name, value := range kept.Values {
		values[name] = value.Reveal()
	}
	return values, kept.Version
}

func TestEachHasItsOwn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	values, version := s.read(s.Vault, "ann")
	require.Empty(t, values)
	require.Zero(t, version)
	s.set("ann", "GITHUB_TOKEN", "ann's")
	s.set("ann", "OTHER", "too")
	s.set("bob", "GITHUB_TOKEN", "bob's")

	values, version = s.read(s.Vault, "ann")
	require.Equal(t, map[string]string{"GITHUB_TOKEN": "ann's", "OTHER": "too"}, values)
	require.EqualValues(t, 2, version)
	values, _ = s.read(s.Vault, "bob")
	require.Equal(t, map[string]string{"GITHUB_TOKEN": "bob's"}, values)
	kept, err := s.For(t.Context(), "bob", s.bobs)
	require.NoError(t, err)
	require.Empty(t, kept.Values, "a server of the same name is another")

	require.NoError(t, s.Delete(t.Context(), s.change("ann", "OTHER")))
	values, version = s.read(s.Vault, "ann")
	require.Equal(t, map[string]string{"GITHUB_TOKEN": "ann's"}, values)
	require.EqualValues(t, 3, version, "sessions that had it must end")
	require.NoError(t, s.Delete(t.Context(), s.change("ann", "GITHUB_TOKEN")))
	values, version = s.read(s.Vault, "ann")
	require.Empty(t, values)
	require.EqualValues(t, 4, version)
}

// Whoever asks, for whatever reason it is not there.
func TestAbsentIsAbsent(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.set("ann", "TOKEN", "x")
	none := s.Delete(t.Context(), s.change("ann", "NONE"))
	require.True(t, fault.Is(none, fault.NotFound))
	for name, c := range map[string]vault.Change{
		"never had any": s.change("cleo", "TOKEN"),
		"somebody else": {Owner: "bob", Actor: "bob", Server: s.everyone, Name: "TOKEN"},
		"no server":     {Owner: "ann", Actor: "ann", Server: 9999, Name: "TOKEN"},
	} {
		require.Equal(t, none, s.Delete(t.Context(), c), name)
	}
	_, version := s.read(s.Vault, "ann")
	require.EqualValues(t, 1, version, "nothing has changed")

	for name, server := range map[string]int64{"bob's own": s.bobs, "none": 9999} {
		err := s.Set(t.Context(), vault.Change{Owner: "ann", Actor: "ann", Server: server, Name: "TOKEN"}, secret.New(canary))
		require.True(t, fault.Is(err, fault.NotFound), name)
		require.NotContains(t, err.Error(), canary)
	}
}

func TestWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for name, tt := range map[string]struct{ name, value, field string }{
		"no name":       {"", canary, "body.secretName"},
		"digit first":   {"1TOKEN", canary, "body.secretName"},
		"dash first":    {"-c", canary, "body.secretName"},
		"space":         {"A B", canary, "body.secretName"},
		"equals":        {"A=B", canary, "body.secretName"},
		"new line":      {"TOKEN\n", canary, "body.secretName"},
		"not ASCII":     {"TÖKEN", canary, "body.secretName"},
		"long":          {strings.Repeat("a", 129), canary, "body.secretName"},
		"nothing":       {"TOKEN", "", "body.secretValue"},
		"too much":      {"TOKEN", canary + strings.Repeat("x", vault.MaxValue), "body.secretValue"},
		"a NUL":         {"TOKEN", canary + "\x00", "body.secretValue"},
		"many in UTF-8": {"TOKEN", canary + strings.Repeat("ö", vault.MaxValue/2), "body.secretValue"},
	} {
		err := s.Set(t.Context(), s.change("ann", tt.name), secret.New(tt.value))
		require.True(t, fault.Is(err, fault.Invalid), name)
		require.Contains(t, err.Error(), tt.field, name)
		require.NotContains(t, err.Error(), canary, name)
	}
	s.set("ann", strings.Repeat("a", 128), strings.Repeat("x", vault.MaxValue))
	s.set("ann", "_a.b-C9", "x")
}

func TestNotEndlesslyMany(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for i := range 100 {
		s.set("ann", fmt.Sprintf("N%d", i), "x")
	}
	err := s.Set(t.Context(), s.change("ann", "N100"), secret.New("x"))
	require.True(t, fault.Is(err, fault.Invalid))
	s.set("ann", "N99", "may still change")
	s.set("bob", "N100", "and others have their own")
}

func TestListTellsNoValue(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.set("ann", "B", canary)
	s.set("ann", "A", canary)
	s.set("bob", "A", canary)
	before, err := s.List(t.Context(), "ann")
	require.NoError(t, err)
	require.Len(t, before, 2)
	require.Equal(t, []string{"A", "B"}, []string{before[0].Name, before[1].Name})
	require.Equal(t, "mcp-github", before[0].ServerName)
	require.Nil(t, before[0].LastUsed)
	require.NotContains(t, fmt.Sprintf("%+v", before), canary)

	theirs, err := s.List(t.Context(), "bob")
	require.NoError(t, err)
	require.NotEqual(t, before[0].Fingerprint, theirs[0].Fingerprint, "of no use across users")
	s.set("ann", "A", canary)
	s.set("ann", "B", canary+"!")
	after, err := s.List(t.Context(), "ann")
	require.NoError(t, err)
	require.Equal(t, before[0].Fingerprint, after[0].Fingerprint, "the same value")
	require.NotEqual(t, before[1].Fingerprint, after[1].Fingerprint, "another value")
	require.Len(t, after[0].Fingerprint, 10)
}

func TestAuditNamesWhatAndWhereAlone(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.set("ann", "TOKEN", canary)
	c := s.change("ann", "TOKEN")
	c.Actor = "apikey:7"
	require.NoError(t, s.Set(t.Context(), c, secret.New(canary)))
	require.NoError(t, s.Delete(t.Context(), c))
	rows, err := s.db.Pool.Query(t.Context(), `SELECT kind || ' ' || actor || ' ' || body FROM audit_events WHERE chain = $1 ORDER BY seq`, automation.AuditUser("ann"))
	require.NoError(t, err)
	var events []string
	for rows.Next() {
		var e string
		require.NoError(t, rows.Scan(&e))
		events = append(events, e)
	}
	require.NoError(t, rows.Err())
	body := fmt.Sprintf(`{"server":%d,"name":"TOKEN"}`, s.everyone)
	require.Equal(t, []string{"secret.set ann " + body, "secret.set apikey:7 " + body, "secret.deleted apikey:7 " + body}, events)
}

func TestUses(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.set("ann", "A", "1")
	s.set("ann", "B", "2")
	s.Used("ann", s.everyone, "A", "A", "GONE")
	s.Used("cleo", s.everyone, "A")
	entries, err := s.List(t.Context(), "ann")
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), *entries[0].LastUsed, time.Minute)
	require.Nil(t, entries[1].LastUsed)

	// What is left when the process ends is written down then.
	s.Used("ann", s.everyone, "B")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, s.Vault.Run(ctx, slog.New(slog.DiscardHandler)))
	other, _ := s.process()
	entries, err = other.List(t.Context(), "ann")
	require.NoError(t, err)
	require.NotNil(t, entries[1].LastUsed)
}

// listen does what a registry does for the vault, until the test ends.
func (s *site) listen(v *vault.Vault) {
	s.Helper()
	up := make(chan struct{})
	var once sync.Once
	ctx, cancel := context.WithCancel(s.Context())
	done := make(chan error)
	go func() {
		done <- s.db.Listen(ctx, slog.New(slog.DiscardHandler), func(c store.Change) { v.Forget(c.Owner, c.Server) }, func(heard bool) {
			v.Believe(heard)
			if heard {
				once.Do(func() { close(up) })
			}
		})
	}()
	s.Cleanup(func() {
		cancel()
		require.NoError(s, <-done)
	})
	<-up
}

func TestAnotherProcessHearsOfAChange(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	other, _ := s.process()
	s.set("ann", "TOKEN", "first")
	s.listen(other)
	values, _ := s.read(other, "ann")
	require.Equal(t, "first", values["TOKEN"])

	// It answers from memory now: a change that nobody announces is not seen.
	_, err := s.db.Pool.Exec(t.Context(), `UPDATE user_secret_sets SET version = 77`)
	require.NoError(t, err)
	_, version := s.read(other, "ann")
	require.EqualValues(t, 1, version)

	s.set("ann", "TOKEN", "second")
	require.Eventually(t, func() bool {
		values, version = s.read(other, "ann")
		return values["TOKEN"] == "second" && version == 78
	}, 10*time.Second, time.Millisecond)

	other.Believe(false)
	_, err = s.db.Pool.Exec(t.Context(), `UPDATE user_secret_sets SET version = 99`)
	require.NoError(t, err)
	_, version = s.read(other, "ann")
	require.EqualValues(t, 99, version, "nobody listens: the database is asked")
}

// What is read is one state of the set, never a mixture, and a process never goes back to an older one.
func TestReadWhileSet(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.listen(s.Vault)
	const writers, rounds = 4, 25
	var writing sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			for i := range rounds {
				name := fmt.Sprintf("N%d", w)
				if err := s.Set(s.Context(), s.change("ann", name), secret.New(fmt.Sprintf("%s=%d", name, i))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	stop := make(chan struct{})
	var reading sync.WaitGroup
	for range 4 {
		reading.Go(func() {
			last := int64(0)
			for {
				kept, err := s.For(s.Context(), "ann", s.everyone)
				if err != nil || kept.Version < last {
					t.Errorf("version %d after %d: %v", kept.Version, last, err)
					return
				}
				last = kept.Version
				for name, value := range kept.Values {
					if !strings.HasPrefix(value.Reveal(), name+"=") {
						t.Errorf("%s has another's value", name)
					}
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	writing.Wait()
	close(stop)
	reading.Wait()
	values, version := s.read(s.Vault, "ann")
	require.EqualValues(t, writers*rounds, version)
	for w := range writers {
		require.Equal(t, fmt.Sprintf("N%d=%d", w, rounds-1), values[fmt.Sprintf("N%d", w)])
	}
}

// Keys of the ring come and go; what is in memory may be sealed with one that has gone.
func TestKeysRotate(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.Believe(true)
	s.set("ann", "TOKEN", canary)
	s.read(s.Vault, "ann")
	entries, err := s.List(t.Context(), "ann")
	require.NoError(t, err)

	next := authtest.Key(t)
	_, err = s.ring.Reload(secret.New(next.Reveal() + "," + s.keys.Reveal()))
	require.NoError(t, err)
	for _, column := range []string{"user_secrets.value_sealed", "user_secret_sets.salt_sealed"} {
		table, name, _ := strings.Cut(column, ".")
		var sealed []byte
		require.NoError(t, s.db.Pool.QueryRow(t.Context(), "SELECT "+name+" FROM "+table).Scan(&sealed))
		sealed, _, err = s.ring.Reseal(sealed)
		require.NoError(t, err)
		_, err = s.db.Pool.Exec(t.Context(), "UPDATE "+table+" SET "+name+" = $1", sealed)
		require.NoError(t, err)
	}
	_, err = s.ring.Reload(next)
	require.NoError(t, err)
	values, _ := s.read(s.Vault, "ann")
	require.Equal(t, canary, values["TOKEN"])
	s.set("ann", "TOKEN", canary)
	again, err := s.List(t.Context(), "ann")
	require.NoError(t, err)
	require.Equal(t, entries[0].Fingerprint, again[0].Fingerprint)
}

// The database holds no value, and none opens in another's row.
func TestSealedInItsPlace(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.set("ann", "TOKEN", canary)
	s.set("bob", "TOKEN", "bob's")
	var dump string
	require.NoError(t, s.db.Pool.QueryRow(t.Context(), `SELECT string_agg(u::text, ' ') FROM user_secrets u`).Scan(&dump))
	require.NotContains(t, dump, canary)
	_, err := s.db.Pool.Exec(t.Context(), `UPDATE user_secrets SET value_sealed = (SELECT value_sealed FROM user_secrets WHERE owner = 'ann') WHERE owner = 'bob'`)
	require.NoError(t, err)
	_, err = s.For(t.Context(), "bob", s.everyone)
	require.Equal(t, secret.CodeMisplaced, fault.CodeOf(err))
	require.NotContains(t, err.Error(), canary)
}

func TestGoesWithItsServer(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.set("ann", "TOKEN", canary)
	_, err := s.db.Pool.Exec(t.Context(), `DELETE FROM mcp_servers WHERE id = $1`, s.everyone)
	require.NoError(t, err)
	entries, err := s.List(t.Context(), "ann")
	require.NoError(t, err)
	require.Empty(t, entries)
}
