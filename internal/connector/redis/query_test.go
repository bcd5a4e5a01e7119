package redis_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	counterpart "steward/dev/counterpart/redis"
	"steward/internal/connector"
)

// behind runs a test behind each of the two walls: a read-only script for an account that may do everything, and an
// account that may only read.
func behind(t *testing.T, s *counterpart.Server, test func(*testing.T, connector.Link)) {
	for name, form := range map[string]filled{"script": owner(s), "account": as(s, s.Reader())} {
		t.Run(name, func(t *testing.T) { test(t, form.open(t, direct)) })
	}
}

func sample(s *counterpart.Server) {
	for _, command := range []string{
		"SET greeting hello", "SET empty ''", "HSET user:1 name Ann age 30", "RPUSH queue a b c d", "SADD tags red", "ZADD board 1 one 2 two 3.5 three",
		"XADD events 1-1 kind start", "XADD events 2-1 kind stop by bob", "GEOADD cities 13.361389 38.115556 Palermo 15.087269 37.502669 Catania",
		"SET session x EX 1000",
	} {
		args := []any{}
		for _, word := range strings.Fields(command) {
			args = append(args, strings.Trim(word, "'"))
		}
		s.Do(args...)
	}
}

func TestQuery(t *testing.T) {
	t.Parallel()
	s := counterpart.Start(t, counterpart.Options{})
	sample(s)
	s.Do("SET", "binary", "\xff\x00")
	behind(t, s, func(t *testing.T, l connector.Link) {
		for _, tt := range []struct{ query, rows string }{
			{`PING`, `[{"value":"PONG"}]`},
			{`DBSIZE`, `[{"value":10}]`},
			{`GET greeting`, `[{"key":"greeting","value":"hello"}]`},
			{`get "greeting"`, `[{"key":"greeting","value":"hello"}]`},
			{`GET empty`, `[{"key":"empty","value":""}]`},
			{`GET nothing`, `[{"key":"nothing","value":null}]`},
			{`GET binary`, `[{"key":"binary","value":{"base64":"/wA="}}]`},
			{`GETRANGE greeting 1 -2`, `[{"key":"greeting","value":"ell"}]`},
			{`GETRANGE greeting 0 -100`, `[{"key":"greeting","value":""}]`},
			{`GETRANGE greeting 9 20`, `[{"key":"greeting","value":""}]`},
			{`MGET greeting nothing`, `[{"key":"greeting","value":"hello"},{"key":"nothing","value":null}]`},
			{`EXISTS greeting nothing user:1`, `[{"value":2}]`},
			{`STRLEN greeting`, `[{"key":"greeting","value":5}]`},
			{`BITCOUNT greeting 0 0`, `[{"key":"greeting","value":3}]`},
			{`TYPE board`, `[{"key":"board","value":"zset"}]`},
			{`TTL greeting`, `[{"key":"greeting","value":-1}]`},
			{`OBJECT ENCODING greeting`, `[{"key":"greeting","encoding":"embstr"}]`},
			{`HGETALL user:1`, `[{"field":"name","value":"Ann"},{"field":"age","value":"30"}]`},
			{`HKEYS user:1`, `[{"field":"name"},{"field":"age"}]`},
			{`HVALS user:1`, `[{"value":"Ann"},{"value":"30"}]`},
			{`HGETALL nobody`, `[]`},
			{`HGET user:1 name`, `[{"field":"name","value":"Ann"}]`},
			{`HMGET user:1 age town`, `[{"field":"age","value":"30"},{"field":"town","value":null}]`},
			{`HLEN user:1`, `[{"key":"user:1","value":2}]`},
			{`LRANGE queue 1 -2`, `[{"index":1,"value":"b"},{"index":2,"value":"c"}]`},
			{`LRANGE queue 9 20`, `[]`},
			{`LRANGE queue -2 100`, `[{"index":2,"value":"c"},{"index":3,"value":"d"}]`},
			{`LLEN queue`, `[{"key":"queue","value":4}]`},
			{`LINDEX queue -1`, `[{"index":"-1","value":"d"}]`},
			{`SMEMBERS tags`, `[{"member":"red"}]`},
			{`SISMEMBER tags blue`, `[{"member":"blue","value":0}]`},
			{`SMISMEMBER tags red blue`, `[{"member":"red","value":1},{"member":"blue","value":0}]`},
			{`ZRANGE board 0 -1`, `[{"member":"one","score":"1"},{"member":"two","score":"2"},{"member":"three","score":"3.5"}]`},
			{`ZRANGE board 0 0 REV WITHSCORES`, `[{"member":"three","score":"3.5"}]`},
			{`ZRANGE board 2 +inf BYSCORE LIMIT 1 5`, `[{"member":"three","score":"3.5"}]`},
			{`ZRANGE board (1 3 BYSCORE`, `[{"member":"two","score":"2"}]`},
			{`ZRANGE board - + BYLEX LIMIT 0 1`, `[{"member":"one","score":null}]`},
			{`ZRANGE board 5 9`, `[]`},
			{`ZREVRANGE board 0 1`, `[{"member":"three","score":"3.5"},{"member":"two","score":"2"}]`},
			{`ZRANGEBYSCORE board -inf 1`, `[{"member":"one","score":"1"}]`},
			{`ZREVRANGEBYSCORE board +inf -inf WITHSCORES LIMIT 0 1`, `[{"member":"three","score":"3.5"}]`},
			{`ZSCORE board two`, `[{"member":"two","score":"2"}]`},
			{`ZMSCORE board two none`, `[{"member":"two","score":"2"},{"member":"none","score":null}]`},
			{`ZRANK board two`, `[{"member":"two","rank":1}]`},
			{`ZCOUNT board 1 2`, `[{"key":"board","value":2}]`},
			{`XLEN events`, `[{"key":"events","value":2}]`},
			{`XRANGE events - +`, `[{"id":"1-1","fields":{"kind":"start"}},{"id":"2-1","fields":{"kind":"stop","by":"bob"}}]`},
			{`XREVRANGE events + - COUNT 1`, `[{"id":"2-1","fields":{"kind":"stop","by":"bob"}}]`},
			{
				`GEOSEARCH cities FROMLONLAT 15 37 BYRADIUS 100 km ASC COUNT 1 ANY`,
				`[{"member":"Catania","distance":"56.4413","longitude":"15.08726745843887329","latitude":"37.50266842333162032"}]`,
			},
			{`SCAN 0 MATCH user:*`, `[{"key":"user:1"}]`},
			{`SCAN 0 TYPE stream COUNT 100`, `[{"key":"events"}]`},
			{`HSCAN user:1 0 MATCH n*`, `[{"field":"name","value":"Ann"}]`},
			{`SSCAN tags 0`, `[{"member":"red"}]`},
			{`ZSCAN board 0 MATCH t*`, `[{"member":"two","score":"2"},{"member":"three","score":"3.5"}]`},
		} {
			got, err := ask(t, l, tt.query)
			require.NoError(t, err, tt.query)
			require.JSONEq(t, tt.rows, rowsOf(t, got), tt.query)
			require.False(t, got.Truncated, tt.query)
			require.Empty(t, got.Note, tt.query)
		}
		for _, query := range []string{"TTL session", "PTTL session", "MEMORY USAGE greeting"} {
			got, err := ask(t, l, query)
			require.NoError(t, err, query)
			require.Equal(t, 1, got.RowCount, query)
		}
	})
}

func TestWhatIsLargeIsCutAndSaid(t *testing.T) {
	t.Parallel()
	s := counterpart.Start(t, counterpart.Options{})
	for i := range 1500 {
		s.Do("RPUSH", "list", i)
		s.Do("HSET", "hash", fmt.Sprint("f", i), i)
		s.Do("SADD", "set", fmt.Sprint("m", i))
		s.Do("ZADD", "sorted", i, fmt.Sprint("m", i))
		s.Do("XADD", "stream", "*", "n", i)
	}
	s.Do("SET", "text", strings.Repeat("ä", 400<<10))
	s.Do("SET", "huge", strings.Repeat("x", 6<<20))
	s.Do("RPUSH", "fat", strings.Repeat("x", 600<<10), strings.Repeat("y", 600<<10))
	s.Do("HSET", "blob", "f", strings.Repeat("x", 6<<20))
	behind(t, s, func(t *testing.T, l connector.Link) {
		for query, rows := range map[string]int{
			"LRANGE list 0 -1": 1000, "ZRANGE sorted 0 -1": 1000, "ZREVRANGE sorted 0 -1": 1000, "ZRANGEBYSCORE sorted -inf +inf": 1000,
			"ZRANGE sorted -inf +inf BYSCORE LIMIT 0 -1": 1000, "XRANGE stream - +": 1000, "GET text": 1, "GET huge": 1,
			"GETRANGE huge 0 -1": 1, "LRANGE fat 0 -1": 1,
		} {
			got, err := ask(t, l, query)
			require.NoError(t, err, query)
			require.Equal(t, rows, got.RowCount, query)
			require.True(t, got.Truncated, query)
			require.NotEmpty(t, got.Note, query)
			require.Less(t, len(rowsOf(t, got)), 1<<20, query)
		}
		for _, query := range []string{"HGETALL hash", "HKEYS hash", "SMEMBERS set", "HSCAN hash 0 COUNT 400", "ZSCAN sorted 0"} {
			got, err := ask(t, l, query)
			require.NoError(t, err, query)
			require.Greater(t, got.RowCount, 399, query)
			require.Less(t, got.RowCount, 1000, query)
			require.True(t, got.Truncated, query)
			require.Contains(t, got.Note, "SCAN", query)
		}
		e := failure(t, second(ask(t, l, "HGET blob f")))
		require.True(t, e.Answered && !e.Ran)
		require.Contains(t, e.Reason, "larger than 4 MiB")
		_, err := ask(t, l, "GET text")
		require.NoError(t, err, "the next connection works")
	})
}

func second[T any](_ T, err error) error { return err }

// Who follows the notes sees every element once.
func TestScansGoOn(t *testing.T) {
	t.Parallel()
	s := counterpart.Start(t, counterpart.Options{})
	for i := range 2000 {
		s.Do("SADD", "a set", i)
	}
	l := owner(s).open(t, direct)
	seen, query := 0, "SMEMBERS 'a set'"
	for query != "" {
		got, err := ask(t, l, query)
		require.NoError(t, err, query)
		seen += got.RowCount
		_, query, _ = strings.Cut(got.Note, "go on with ")
	}
	require.Equal(t, 2000, seen)

	text := strings.Repeat("ä", 700<<10)
	s.Do("SET", "a text", text)
	read, query := 0, "GET 'a text'"
	for query != "" {
		got, err := ask(t, l, query)
		require.NoError(t, err, query)
		read += strings.Count(rowsOf(t, got), "ä")
		_, query, _ = strings.Cut(got.Note, "go on with ")
	}
	require.Equal(t, 700<<10, read)
}

func TestRefusalsTellTheModelWhatToDo(t *testing.T) {
	t.Parallel()
	s := counterpart.Start(t, counterpart.Options{})
	sample(s)
	behind(t, s, func(t *testing.T, l connector.Link) {
		for query, reason := range map[string]string{
			"":                             "the command is empty",
			`GET "greeting`:                "a quote is not closed",
			`GET "greet"ing`:               "a closing quote must be followed by a space",
			"GET":                          "GET has too few or too many arguments",
			"GET a b":                      "GET has too few or too many arguments",
			"KEYS *":                       "SCAN 0 MATCH",
			"SELECT 1":                     "one database",
			"FLUSHALL":                     "not among the commands",
			"OBJECT FREQ greeting":         "only OBJECT ENCODING key",
			"LRANGE queue a b":             "whole numbers",
			"ZRANGE board 0 1 STORE other": `no option "STORE"`,
			"XRANGE events - + COUNT":      "a value of it is missing",
			"SCAN 0 BLOCK 0":               `no option "BLOCK"`,
			"HGETALL greeting":             "the key holds a value of another type than the command is for",
			"LRANGE greeting 0 1":          "the key holds a value of another type than the command is for",
			"GET user:1":                   "the key holds a value of another type than the command is for",
			"XRANGE events x +":            "the server refuses: Invalid stream ID",
			"GETRANGE greeting 0 9999999999999999999": "whole numbers",
		} {
			e := failure(t, second(ask(t, l, query)))
			require.True(t, e.Answered && !e.Ran, query)
			require.Contains(t, e.Reason, reason, query)
		}
	})
}

func TestDatabaseNumber(t *testing.T) {
	t.Parallel()
	s := counterpart.Start(t, counterpart.Options{})
	s.Do("SET", "here", 0)
	l := owner(s).and("database", 3).open(t, direct)
	got, err := ask(t, l, "DBSIZE")
	require.NoError(t, err)
	require.JSONEq(t, `[{"value":0}]`, rowsOf(t, got))
}

func BenchmarkQuery(b *testing.B) {
	s := counterpart.Start(b, counterpart.Options{})
	s.Do("HSET", "user:1", "name", "Ann", "age", 30)
	b.Run("bare", func(b *testing.B) {
		for b.Loop() {
			s.Do("HGETALL", "user:1")
		}
	})
	query, in := toolNamed(b, "DB_QUERY"), arguments(b, map[string]string{"query": "HGETALL user:1"})
	for name, form := range map[string]filled{"script": owner(s), "account": as(s, s.Reader())} {
		session := &connector.Session{Link: form.open(b, direct)}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_, err := query.Call(b.Context(), session, connector.Call{Arguments: in})
				require.NoError(b, err)
			}
		})
	}
}
