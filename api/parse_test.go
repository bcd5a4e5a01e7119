package api

import (
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/fault"
	"steward/internal/store"
)

func FuzzCursor(f *testing.F) {
	for _, seed := range []string{"", encodeCursor(1), encodeCursor(math.MaxInt64), "YmVmb3JlOi0x", "YmVmb3JlOjAx", "====", "YmVmb3JlOjE="} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, cursor string) {
		id, err := decodeCursor(cursor)
		if err != nil {
			require.True(t, fault.Is(err, fault.Invalid))
			require.Zero(t, id)
			return
		}
		require.Positive(t, id)
		if cursor != "" {
			require.Equal(t, cursor, encodeCursor(id), "one text per place")
		}
	})
}

func FuzzLastEventID(f *testing.F) {
	for _, seed := range [][2]string{{"", ""}, {"7", ""}, {"", "7"}, {"-1", ""}, {"9223372036854775808", ""}, {"+7", ""}, {"0x7", ""}, {"7", "x"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, header, query string) {
		seq, err := resumePoint(header, query)
		if err != nil {
			require.True(t, fault.Is(err, fault.Invalid))
			require.Zero(t, seq)
			return
		}
		require.GreaterOrEqual(t, seq, int64(0))
		if header == "" && query == "" {
			require.Zero(t, seq)
		}
	})
}

func FuzzIdempotencyKey(f *testing.F) {
	for _, seed := range []string{"", "abc", `"abc"`, `"`, `""`, `"a"b"`, `"a\"b"`, "a b", "ä", strings.Repeat("k", 255), strings.Repeat("k", 256), "a\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		key, err := idempotencyKey(header)
		if err != nil {
			require.True(t, fault.Is(err, fault.Invalid))
			require.Empty(t, key)
			return
		}
		require.LessOrEqual(t, len(key), maxKeyBytes)
		require.Equal(t, header == "", key == "")
		for _, c := range []byte(key) {
			require.True(t, c > ' ' && c < 0x7f)
		}
		quoted, err := idempotencyKey(`"` + key + `"`)
		if key != "" && !strings.ContainsAny(key, `"\`) {
			require.NoError(t, err)
			require.Equal(t, key, quoted, "both forms name the same key")
		}
	})
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`{}`, `{"instructions":7}`, `{"limits":{"steps":1e400}}`, `{"mcp_server_id":1.0}`, "\xff", `{`, `[]`, ``} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var body startBody
		if err := decode(data, &body); err != nil {
			require.NotContains(t, err.Error(), "Go ", "names of Go types are no help")
			require.Less(t, len(err.Error()), 200, "the input is not repeated")
		}
	})
}

func TestResumePointPrefersTheHeader(t *testing.T) {
	t.Parallel()
	seq, err := resumePoint("9", "4")
	require.NoError(t, err)
	require.Equal(t, int64(9), seq)
}

func TestDigestIsOfTheMeaning(t *testing.T) {
	t.Parallel()
	var a, b, c startBody
	require.NoError(t, decode([]byte(`{"instructions":"x","metadata":{"a":1,"b":2}}`), &a))
	require.NoError(t, decode([]byte(`{"metadata" : {"b":2, "a":1}, "instructions":"\u0078"}`), &b))
	require.NoError(t, decode([]byte(`{"instructions":"x","metadata":{"a":1,"b":3}}`), &c))
	first, err := bodyDigest(a)
	require.NoError(t, err)
	same, err := bodyDigest(b)
	require.NoError(t, err)
	other, err := bodyDigest(c)
	require.NoError(t, err)
	require.Equal(t, first, same)
	require.NotEqual(t, first, other)
}

func TestHosts(t *testing.T) {
	t.Parallel()
	reached := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	h := allowHosts([]string{"steward.example"})(reached)
	for host, want := range map[string]int{
		"localhost": 200, "LOCALHOST:8000": 200, "127.0.0.1:8000": 200, "127.9.9.9": 200, "[::1]:8000": 200, "[::1]": 200,
		"steward.example": 200, "STEWARD.example:443": 200,
		"evil.test": 421, "steward.example.evil.test": 421, "127.0.0.1.evil.test": 421, "10.0.0.5": 421, "localhost.evil.test:8000": 421, "": 421,
		"0x7f.1": 421, "localhost.": 421,
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.Host = host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		require.Equal(t, want, w.Code, host)
	}
}

func TestStreamsCount(t *testing.T) {
	t.Parallel()
	s := newStreams(1)
	leave, err := s.enter("alice")
	require.NoError(t, err)
	_, err = s.enter("alice")
	require.Equal(t, "too_many_streams", fault.CodeOf(err))
	leave()
	leave, err = s.enter("alice")
	require.NoError(t, err)
	leave()
	require.Empty(t, s.open, "who has gone costs nothing")
}

func TestQuietStreamsBeat(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s, err := openStream(w)
		if err == nil {
			err = s.heartbeat()
		}
		if err == nil {
			err = s.event(7, "tool.settled", map[string]string{"text": "two\nlines"})
		}
		if err == nil {
			err = s.flush()
		}
		if err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
	require.NoError(t, err)
	response, err := server.Client().Do(req)
	require.NoError(t, err)
	defer func() { require.NoError(t, response.Body.Close()) }()
	got, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, ": still here\n\nid: 7\nevent: tool.settled\ndata: {\"text\":\"two\\nlines\"}\n\n", string(got))
	require.Equal(t, 15*time.Second, heartbeatTime)
}

func TestEffectsAreNeverSaidToBeUndoneWithoutProof(t *testing.T) {
	t.Parallel()
	for want, calls := range map[string][]store.ListCallSummariesRow{
		"done":     {{State: "done"}, {State: "done", WasUnknown: true}},
		"unknown":  {{State: "unknown"}, {State: "claimed"}, {State: "skipped", WasUnknown: true}},
		"not_done": {{State: "planned"}, {State: "waiting"}, {State: "failed"}, {State: "denied"}, {State: "cancelled"}, {State: "skipped"}},
	} {
		for _, c := range calls {
			require.Equal(t, want, effectOf(&c), c.State)
		}
	}
}
