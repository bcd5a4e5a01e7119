package redis_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/connector/redis"
)

// feed gives a scanner text in pieces of that size.
func feed(text string, size int) (r redis.Replies, err error) {
	for len(text) > 0 && err == nil {
		n := min(size, len(text))
		err = r.Feed([]byte(text[:n]))
		text = text[n:]
	}
	return r, err
}

func TestRepliesWithinBounds(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("x", 1<<20)
	many := fmt.Sprintf("$%d\r\n%s\r\n", len(large), large)
	for name, text := range map[string]string{
		"one of each":      "+OK\r\n-ERR no\r\n:12\r\n$3\r\na\nb\r\n$-1\r\n$0\r\n\r\n*-1\r\n*0\r\n*2\r\n:1\r\n*1\r\n$1\r\nx\r\n",
		"nested":           strings.Repeat("*1\r\n", 16) + ":1\r\n",
		"many in a row":    strings.Repeat(many, 8),
		"deep in a row":    strings.Repeat(strings.Repeat("*1\r\n", 16)+":1\r\n", 100),
		"array at its end": "*2\r\n*0\r\n*-1\r\n+x\r\n",
	} {
		for _, size := range []int{1, 7, 1 << 20} {
			if size == 1 && len(text) > 1<<20 {
				continue
			}
			r, err := feed(text, size)
			require.NoError(t, err, name)
			require.True(t, r.Between(), "%s in pieces of %d", name, size)
		}
	}
}

func TestRepliesOutOfBounds(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"a length that would fill the memory": "$2147483647\r\n",
		"a list that would fill the memory":   "*2147483647\r\n",
		"lists in lists that would fill it":   strings.Repeat(fmt.Sprintf("*%d\r\n", redis.MostElements/4), 5),
		"a line without an end":               "+" + strings.Repeat("x", redis.MostReply+1),
		"an error without an end":             "-" + strings.Repeat("x", redis.MostReply+1),
		"lists in lists without an end":       strings.Repeat("*1\r\n", 20),
		"small values without an end":         "*200000\r\n" + strings.Repeat("$30\r\n"+strings.Repeat("x", 30)+"\r\n", 200000),
		"a negative length":                   "$-2\r\n",
		"no length":                           "$\r\n",
		"no number":                           "*1x\r\n",
		"a number too large for one":          "*99999999999999999999\r\n",
		"a length of many digits":             "$" + strings.Repeat("0", 30),
		"no end of a line":                    "*1\n",
		"another protocol":                    "HTTP/1.1 200 OK\r\n",
		"what comes unasked in RESP3":         ">2\r\n",
		"a map of RESP3":                      "%1\r\n",
		"nothing but zeros":                   "\x00\x00",
	} {
		for _, size := range []int{13, 1 << 20} {
			_, err := feed(text, size)
			require.Error(t, err, name)
		}
	}
}

// FuzzReplies: how the bytes are cut into pieces makes no difference, and nothing makes the scanner panic.
func FuzzReplies(f *testing.F) {
	f.Add("+OK\r\n*2\r\n$1\r\nx\r\n:1\r\n", 1)
	f.Add("*1\r\n*1\r\n$-1\r\n-ERR\r\n", 3)
	f.Add("$5\r\nab\r\n\r\n", 2)
	f.Add("*-2\r\n", 4)
	f.Fuzz(func(t *testing.T, text string, size int) {
		whole, err := feed(text, len(text)+1)
		parts, again := feed(text, max(1, min(size, 1<<20)))
		require.Equal(t, err, again)
		if err == nil {
			require.Equal(t, whole.Between(), parts.Between())
		}
	})
}
