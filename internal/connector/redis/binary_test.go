package redis_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	counterpart "steward/dev/counterpart/redis"
	"steward/internal/connector"
)

// What is in base64 says so: it may stand beside text that looks the same.
func TestWhatIsNoTextIsMarked(t *testing.T) {
	t.Parallel()
	s := counterpart.Start(t, counterpart.Options{})
	s.Do("SET", "binary", "\xff\x00")
	s.Do("SET", "looks", "/wA=")
	s.Do("RPUSH", "list", "\xff", "a")
	s.Do("HSET", "hash", "\xfe", "\xff")
	s.Do("XADD", "stream", "1-1", "\xff", "\xfe", "a", "b")
	behind(t, s, func(t *testing.T, l connector.Link) {
		for query, rows := range map[string]string{
			`GET looks`:          `[{"key":"looks","value":"/wA="}]`,
			`MGET binary looks`:  `[{"key":"binary","value":{"base64":"/wA="}},{"key":"looks","value":"/wA="}]`,
			`LRANGE list 0 -1`:   `[{"index":0,"value":{"base64":"/w=="}},{"index":1,"value":"a"}]`,
			`HGETALL hash`:       `[{"field":{"base64":"/g=="},"value":{"base64":"/w=="}}]`,
			`HGET hash "\xfe"`:   `[{"field":{"base64":"/g=="},"value":{"base64":"/w=="}}]`,
			`XRANGE stream - +`:  `[{"id":"1-1","fields":{"base64:/w==":{"base64":"/g=="},"a":"b"}}]`,
			`EXISTS binary list`: `[{"value":2}]`,
		} {
			got, err := ask(t, l, query)
			require.NoError(t, err, query)
			require.JSONEq(t, rows, rowsOf(t, got), query)
		}
	})
}
