package tool_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"steward/internal/registry"
	"steward/internal/store"
	"steward/internal/tool"
)

func TestCallable(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	over := make(chan struct{})
	hangs := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-over }))
	t.Cleanup(func() {
		close(over)
		hangs.Close()
	})
	for id, s := range map[int64]registry.Server{
		31: {Name: "desk two", Transport: "http", URL: d.remote.URL},
		32: {Name: "desk_two", Transport: "http", URL: d.remote.URL},
		33: {Name: "slow", Transport: "http", URL: hangs.URL},
	} {
		s.ID = id
		require.NoError(t, registry.Register(t.Context(), d.db.Queries, d.ring, s))
	}
	began := time.Now()
	cat, err := d.x.Callable(t.Context(), owner)
	require.NoError(t, err)
	require.Less(t, time.Since(began), 9*time.Second, "one slow server keeps nobody waiting longer than its own time")
	require.Empty(t, cmp.Diff([]tool.Absence{{Server: "slow", Reason: "no answer in time"}}, cat.Absent))
	names := map[string]bool{}
	for _, found := range cat.Tools {
		require.False(t, names[found.Function], found.Function)
		names[found.Function] = true
	}
	require.True(t, names["mcp_desk__get"] && names["mcp_desk_two__get"], "%v", names)
	require.False(t, names["mcp_desk__sent"], "what is for asking afterwards is not offered")
	require.True(t, names["mcp_desk_two__sent"], "unless nobody trusts what the server says of it")
	require.Len(t, cat.Tools, 8+9+9)

	_, err = d.db.Pool.Exec(t.Context(), "UPDATE mcp_servers SET enabled = false WHERE id >= 31")
	require.NoError(t, err)
	d.x.Changed(store.Change{Kind: store.ServerChanged})
	cat, err = d.x.Callable(t.Context(), owner)
	require.NoError(t, err)
	require.Len(t, cat.Tools, 8)
	require.Empty(t, cat.Absent)
}

// One user's list keeps few servers waiting at a time: each of them may have to be dialled.
func TestCallableAsksFewServersAtOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	var waiting atomic.Int64
	over := make(chan struct{})
	hangs := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		waiting.Add(1)
		<-over
	}))
	t.Cleanup(hangs.Close)
	for id := range int64(20) {
		s := registry.Server{ID: 31 + id, Name: "slow" + strconv.FormatInt(id, 10), Transport: "http", URL: hangs.URL}
		require.NoError(t, registry.Register(t.Context(), d.db.Queries, d.ring, s))
	}
	var cat tool.Catalogue
	listed := make(chan error, 1)
	go func() {
		var err error
		cat, err = d.x.Callable(t.Context(), owner)
		listed <- err
	}()
	require.Eventually(t, func() bool { return waiting.Load() > 4 }, 4*time.Second, time.Millisecond)
	require.Never(t, func() bool { return waiting.Load() > 8 }, 300*time.Millisecond, 5*time.Millisecond)
	close(over)
	require.NoError(t, <-listed)
	require.Len(t, cat.Absent, 20)
	require.Len(t, cat.Tools, 8)
}
