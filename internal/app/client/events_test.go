package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/api"
	"steward/internal/fault"
	"steward/internal/secret"
)

func server(t *testing.T, handle http.HandlerFunc) *Client {
	t.Helper()
	s := httptest.NewServer(handle)
	t.Cleanup(s.Close)
	return New(s.URL+"/", secret.New("token"))
}

func event(w io.Writer, seq int64) {
	_, _ = fmt.Fprintf(w, "id: %d\nevent: run.state\ndata: {\"seq\":%d,\"kind\":\"run.state\",\"body\":{}}\n\n", seq, seq)
}

// The stream breaks in the middle of an event, repeats one, and is away for a moment; the reader sees each
// event once.
func TestEventsResumeWithoutGapOrRepeat(t *testing.T) {
	t.Parallel()
	resumed := make(chan string, 10)
	c := server(t, func(w http.ResponseWriter, r *http.Request) {
		resumed <- r.Header.Get("Last-Event-ID")
		switch len(resumed) {
		case 1:
			event(w, 1)
			event(w, 2)
			_, _ = fmt.Fprint(w, "id: 3\ndata: {\"seq\":")
		case 2:
			w.WriteHeader(http.StatusServiceUnavailable)
		case 3:
			_, _ = fmt.Fprint(w, ": still here\n\n")
			event(w, 2)
			event(w, 3)
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	})
	var seen []int64
	err := c.Events(t.Context(), 7, func(e api.RunEvent) error {
		seen = append(seen, e.Seq)
		return nil
	}, nil)
	require.NoError(t, err)
	require.Equal(t, []int64{1, 2, 3}, seen)
	close(resumed)
	var after []string
	for last := range resumed {
		after = append(after, last)
	}
	require.Equal(t, []string{"0", "2", "2", "3"}, after)
}

func TestEventsEnd(t *testing.T) {
	t.Parallel()
	enough := errors.New("enough")
	c := server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/automation/run/1/events" {
			w.WriteHeader(http.StatusNotFound)
			_, _ = fmt.Fprint(w, `{"detail":"run not found","code":"not_found"}`)
			return
		}
		event(w, 1)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	require.ErrorIs(t, c.Events(t.Context(), 1, func(api.RunEvent) error { return enough }, nil), enough)
	err := c.Events(t.Context(), 2, func(api.RunEvent) error { return nil }, nil)
	require.True(t, fault.Is(err, fault.NotFound), "%v", err)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, c.Events(ctx, 1, func(api.RunEvent) error { return nil }, nil), context.DeadlineExceeded)
}

func TestEachData(t *testing.T) {
	t.Parallel()
	for in, want := range map[string][]string{
		"":                                     nil,
		"data: a\n\n":                          {"a"},
		"data:a\ndata: b\n\nid: 1\n\n":         {"a\nb"},
		": comment\nevent: x\ndata: y\n\n":     {"y"},
		"data: one\n\ndata: unfinished":        {"one"},
		"data: crlf\r\n\r\nfield\ndata: z\n\n": {"crlf", "z"},
	} {
		var got []string
		require.NoError(t, eachData(strings.NewReader(in), func(_ string, b []byte) error { got = append(got, string(b)); return nil }), in)
		require.Equal(t, want, got, in)
	}
}

func FuzzEachData(f *testing.F) {
	f.Add("data: a\n\n")
	f.Add(": c\nevent: x\ndata: {\ndata: }\n\n\n")
	f.Fuzz(func(t *testing.T, in string) {
		_ = eachData(strings.NewReader(in), func(_ string, b []byte) error {
			require.LessOrEqual(t, len(b), len(in))
			return nil
		})
	})
}
