package redis_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	counterpart "steward/dev/counterpart/redis"
	"steward/internal/connector"
)

// description is the answer of DB_DESCRIBE.
type description struct {
	ServerVersion string `json:"server_version"`
	KeyCount      int    `json:"key_count"`
	Keys          []struct {
		Key, Type string
		TTL       int `json:"ttl_seconds"`
		Size      int
	}
	LeftOut    int    `json:"left_out"`
	NextCursor string `json:"next_cursor"`
}

func (d description) lines() []string {
	out := []string{}
	for _, k := range d.Keys {
		out = append(out, fmt.Sprintf("%s %s %d", k.Key, k.Type, k.Size))
	}
	slices.Sort(out)
	return out
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	s := counterpart.Start(t, counterpart.Options{})
	sample(s)
	behind(t, s, func(t *testing.T, l connector.Link) {
		var got description
		require.NoError(t, call(t, l, "DB_DESCRIBE", map[string]string{}, &got))
		require.Equal(t, 9, got.KeyCount)
		require.Empty(t, got.NextCursor)
		require.Empty(t, cmp.Diff([]string{
			"board zset 3", "cities zset 2", "empty string 0", "events stream 2", "greeting string 5", "queue list 4", "session string 1", "tags set 1", "user:1 hash 2",
		}, got.lines()))
		if strings.HasSuffix(t.Name(), "script") {
			require.Regexp(t, `^\d+\.\d+\.\d+$`, got.ServerVersion)
		} else {
			require.Empty(t, got.ServerVersion, "a reader may not ask")
		}
		got = description{}
		require.NoError(t, call(t, l, "DB_DESCRIBE", map[string]string{"match": "sess*"}, &got))
		require.Equal(t, []string{"session string 1"}, got.lines())
		require.InDelta(t, 1000, got.Keys[0].TTL, 5)
	})
}

func TestDescribeGoesOn(t *testing.T) {
	t.Parallel()
	s := counterpart.Start(t, counterpart.Options{})
	for i := range 1000 {
		s.Do("SET", fmt.Sprint("k", i), i)
	}
	l := owner(s).open(t, direct)
	seen, in := map[string]bool{}, map[string]string{}
	for {
		var got description
		require.NoError(t, call(t, l, "DB_DESCRIBE", in, &got))
		require.LessOrEqual(t, len(got.Keys), 300)
		for _, k := range got.Keys {
			seen[k.Key] = true
		}
		if in["cursor"] = got.NextCursor; got.NextCursor == "" {
			break
		}
	}
	require.Len(t, seen, 1000)
}

// Every key is listed by the server, also to an account that may read a few.
func TestDescribeLeavesOutWhatMayNotBeRead(t *testing.T) {
	t.Parallel()
	s := counterpart.Start(t, counterpart.Options{})
	s.Do("MSET", "app:1", "x", "secret:1", "y", strings.Repeat("long", 500), "z")
	for _, rules := range []string{"~app:* -@all +@read +ping", "~app:* +@all"} {
		l := as(s, s.Account(strings.Fields(rules)...)).open(t, direct)
		var got description
		require.NoError(t, call(t, l, "DB_DESCRIBE", map[string]string{}, &got))
		require.Equal(t, []string{"app:1 string 1"}, got.lines(), rules)
		require.Equal(t, 2, got.LeftOut, rules)
	}
}
