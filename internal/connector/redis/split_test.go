package redis_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/connector/redis"
)

func TestSplit(t *testing.T) {
	t.Parallel()
	for line, words := range map[string][]string{
		`GET a`:                    {"GET", "a"},
		"  GET\t a \n":             {"GET", "a"},
		`GET ""`:                   {"GET", ""},
		`SET k "a b"`:              {"SET", "k", "a b"},
		`SET k 'a "b" \n \' c'`:    {"SET", "k", `a "b" \n ' c`},
		`SET k "\n\r\t\b\a\\\"\q"`: {"SET", "k", "\n\r\t\b\a\\\"q"},
		`SET k "\x41\xfF\xg0\x4"`:  {"SET", "k", "A\xffxg0x4"},
		`SET k a"b c"`:             {"SET", "k", "ab c"},
		`GET schlüssel`:            {"GET", "schlüssel"},
	} {
		got, err := redis.Split(line)
		require.NoError(t, err, line)
		require.Equal(t, words, got, line)
	}
	for _, line := range []string{"", " \n", `"`, `'a`, `"a\"`, `"a"b`, strings.Repeat("a ", 2000)} {
		_, err := redis.Split(line)
		require.Error(t, err, line)
	}
}

// FuzzSplit: whatever was taken apart can be written down again and taken apart to the same words.
func FuzzSplit(f *testing.F) {
	for _, line := range []string{`GET a`, `SET k "a\x00b" 'c\'d'`, `"`, `a"b"c`, "\u00a0x \u2003 y"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		words, err := redis.Split(line)
		if err != nil {
			return
		}
		var again []string
		for _, word := range words {
			quoted := make([]byte, 0, len(word)*4)
			for i := range len(word) {
				quoted = append(append(quoted, `\x`...), strconv.FormatInt(int64(word[i])|0x100, 16)[1:]...)
			}
			again = append(again, `"`+string(quoted)+`"`)
		}
		got, err := redis.Split(strings.Join(again, " "))
		require.NoError(t, err)
		require.Equal(t, words, got)
	})
}
