package redis_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	counterpart "steward/dev/counterpart/redis"
	"steward/internal/connector"
	"steward/internal/connector/redis"
)

// forbidden are commands that a tool that reads must not get through (security.md T-11).
var forbidden = []string{
	`EVAL "return redis.call('set','k','hacked')" 0`, `EVAL_RO "return redis.call('set','k','hacked')" 0`, `EVALSHA 0000000000000000000000000000000000000000 0`,
	`FCALL f 0`, `FCALL_RO f 0`, `FUNCTION FLUSH`, `SCRIPT FLUSH`, `CONFIG SET maxmemory 1`, `CONFIG GET *`, `FLUSHALL`, `FLUSHDB`, `SWAPDB 0 1`,
	`MIGRATE 127.0.0.1 1 k 0 100`, `RESTORE k2 0 x`, `MODULE LOAD /tmp/x.so`, `DEBUG SLEEP 0`, `SHUTDOWN NOSAVE`, `SLAVEOF 127.0.0.1 1`, `REPLICAOF 127.0.0.1 1`,
	`SAVE`, `BGSAVE`, `BGREWRITEAOF`, `CLIENT KILL TYPE normal`, `CLIENT LIST`, `MONITOR`, `SUBSCRIBE c`, `PSUBSCRIBE *`, `PUBLISH c m`, `ACL LIST`, `ACL SETUSER x on`,
	`SET k hacked`, `GETSET k hacked`, `GETDEL k`, `GETEX k EX 1`, `DEL k`, `UNLINK k`, `EXPIRE k 1`, `RENAME k l`, `COPY k l`, `MOVE k 1`, `APPEND k x`,
	`SORT list STORE k`, `ZRANGESTORE z2 z 0 -1`, `GEOSEARCHSTORE a b FROMLONLAT 1 1 BYRADIUS 1 m`, `GEORADIUS g 1 1 1 m STORE k`, `BITOP NOT k2 k`, `BITFIELD k SET u8 0 1`,
	`LPUSH list x`, `LPOP list`, `BLPOP list 1`, `BRPOPLPUSH list l2 1`, `XADD x * a b`, `XGROUP CREATE x g 0`, `PFADD h a`, `PFMERGE h h2`,
	`MULTI`, `WATCH k`, `LATENCY RESET`, `CLUSTER RESET`, `FAILOVER`, `PSYNC ? -1`,
}

// harmless change nothing and tell nothing of others, but a query may not be them either: they block, go through the
// whole keyspace, or keep what they have counted. The server lets one account
// or the other have them.
var harmless = []string{`KEYS *`, `XREAD BLOCK 0 STREAMS x $`, `SORT_RO list`, `RANDOMKEY`, `INFO`, `ECHO x`, `TIME`, `COMMAND COUNT`, `SLOWLOG RESET`, `PFCOUNT h`}

// ownConnection are commands about the connection alone, which no account can be kept from: the list does it.
var ownConnection = []string{`SELECT 1`, `RESET`, `QUIT`, `AUTH x y`, `HELLO 3`}

func TestT11QueriesChangeNothing(t *testing.T) {
	t.Parallel()
	s := counterpart.Start(t, counterpart.Options{})
	for _, command := range []string{"SET k v", "RPUSH list 3 1 2", "ZADD z 1 a", "XADD x * a b", "PFADD h a b", "GEOADD g 1 1 a", "SET other x EX 5000", "PFCOUNT h"} {
		s.Do(words(command)...)
	}
	before := s.Digest()
	behind(t, s, func(t *testing.T, l connector.Link) {
		for _, line := range forbidden {
			e := failure(t, second(ask(t, l, line)))
			require.True(t, e.Answered && !e.Ran, line)

			command, err := redis.Split(line)
			require.NoError(t, err)
			_, err = redis.BehindWall(t.Context(), l, command...)
			require.Error(t, err, "the server itself refuses %s", line)
			require.Equal(t, before, s.Digest(), line)
		}
		for _, line := range harmless {
			require.True(t, failure(t, second(ask(t, l, line))).Answered, line)
			command, err := redis.Split(line)
			require.NoError(t, err)
			_, _ = redis.BehindWall(t.Context(), l, command...) // whether it may: it changes nothing
			require.Equal(t, before, s.Digest(), line)
		}
		for _, line := range ownConnection {
			require.True(t, failure(t, second(ask(t, l, line))).Answered, line)
		}
		got, err := ask(t, l, "DBSIZE")
		require.NoError(t, err)
		require.JSONEq(t, `[{"value":7}]`, rowsOf(t, got), "the connection is in the same database as before")
	})
}

func words(line string) []any {
	var out []any
	for _, word := range strings.Fields(line) {
		out = append(out, word)
	}
	return out
}

// Which accounts are let in, and what the others are told.
func TestAccounts(t *testing.T) {
	t.Parallel()
	s := counterpart.Start(t, counterpart.Options{})
	t.Cleanup(func() { require.Equal(t, int64(0), s.Do("DBSIZE"), "tests change nothing") })
	advice := func(line string) []string {
		rules := strings.Fields(line)
		return append([]string{}, rules[5:]...) // behind ACL SETUSER steward on >PASSWORD
	}
	account := func(line string) filled { return as(s, s.Account(strings.Fields(line)...)) }
	fields := redis.New().Form.Fields
	readerLine := fields[2].Help[strings.Index(fields[2].Help, "ACL "):]
	for _, tt := range []struct {
		name   string
		form   filled
		reason string // empty: let in
	}{
		{"default account", owner(s), ""},
		{"default account that may write", owner(s).and("allow_writes", true), ""},
		{"made by the advice", as(s, s.Account(advice(readerLine)...)), ""},
		{"reader of some keys", account("~app:* -@all +@read +ping"), ""},
		{"everything but scripts", account("~* +@all -@scripting"), "ACL SETUSER steward"},
		{"everything but scripts, on some keys", account("~app:* +@all -@scripting"), "ACL SETUSER steward"},
		{"a writer without scripts", account("~* -@all +@read +@write +ping"), "EVAL_RO"},
		{"a writer with the script", account("~* -@all +@read +@write +eval_ro +ping"), ""},
		{"a reader who is to write", account("~* -@all +@read +ping").and("allow_writes", true), "the account may not write"},
		{"a writer without transactions", account("~* -@all +@read +@write +eval_ro").and("allow_writes", true), "+@transaction"},
		{"a writer made by the advice", account("~* resetchannels -@all +@read +@write +@transaction -@dangerous -@scripting -@blocking +eval_ro +ping +select").and("allow_writes", true), ""},
		{"wrong password", owner(s).and("password", "wrong"), "the server refuses the user name or the password"},
		{"unknown user", owner(s).and("username", "nobody"), "the server refuses the user name or the password"},
		{"no password", owner(s).and("password", ""), "the server asks for a password"},
		{"a database that is not there", as(s, s.Account("~*", "-@all", "+@read")).and("database", 3), "the account may not use this command"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := tt.form.open(t, direct).Test(t.Context())
			if tt.reason == "" {
				require.NoError(t, err)
				return
			}
			e := failure(t, err)
			require.False(t, e.Ran)
			require.Contains(t, e.Reason, tt.reason)
		})
	}
}

// A query after the account has lost its wall is refused, not sent: at the latest when the proof has run out, which
// a link that is made anew shows at once.
func TestWallThatIsGone(t *testing.T) {
	t.Parallel()
	s := counterpart.Start(t, counterpart.Options{})
	reader := s.Reader()
	_, err := ask(t, as(s, reader).open(t, direct), "DBSIZE")
	require.NoError(t, err)
	s.Do("ACL", "SETUSER", reader.Username, "+set")
	e := failure(t, second(ask(t, as(s, reader).open(t, direct), "DBSIZE")))
	require.Contains(t, e.Reason, "could change data")
}

func TestReplica(t *testing.T) {
	t.Parallel()
	s := counterpart.Start(t, counterpart.Options{})
	s.Do("REPLICAOF", counterpart.Host, 1)
	require.NoError(t, owner(s).open(t, direct).Test(t.Context()), "a replica may be read")
	e := failure(t, owner(s).and("allow_writes", true).open(t, direct).Test(t.Context()))
	require.Contains(t, e.Reason, "replica")
}

func TestTLS(t *testing.T) {
	t.Parallel()
	s, other := counterpart.Start(t, counterpart.Options{TLS: true}), counterpart.Start(t, counterpart.Options{TLS: true})
	for _, tt := range []struct {
		name   string
		form   filled
		reason string
	}{
		{"encrypted", owner(s).and("ssl", true), ""},
		{"its authority", owner(s).and("ssl", true).and("ssl_ca", s.CA), ""},
		{"its authority, any name", owner(s).and("ssl_mode", "verify-ca").and("ssl_ca", s.CA), ""},
		{"another authority", owner(s).and("ssl_mode", "verify-full").and("ssl_ca", other.CA), "certificate"},
		{"the system's authorities", owner(s).and("ssl_mode", "verify-full"), "certificate"},
		{"not encrypted", owner(s), "the connection to the server failed"},
	} {
		start := time.Now()
		err := tt.form.open(t, direct).Test(t.Context())
		if tt.reason == "" {
			require.NoError(t, err, tt.name)
			continue
		}
		require.Contains(t, failure(t, err).Reason, tt.reason, tt.name)
		require.Less(t, time.Since(start), 10*time.Second, tt.name)
	}
}
