package telemetry

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
)

func TestMetricsInPrometheusText(t *testing.T) {
	t.Parallel()
	tally := NewTally("calls_total", "Calls.", "tool", "result")
	tally.Add("send", "done")
	tally.Add("send", "done")
	tally.Add(`odd"name`+"\n", "failed")
	plain := NewTally("runs_total", "Runs.")
	plain.Add()
	var out strings.Builder
	require.NoError(t, write(&out, []Source{tally.Metrics, plain.Metrics, func() []Metric { return []Metric{One("up", "Up.", Gauge, 1.5)} }}))
	require.Equal(t, `# HELP calls_total Calls.
# TYPE calls_total counter
calls_total{tool="odd\"name\n",result="failed"} 1
calls_total{tool="send",result="done"} 2
# HELP runs_total Runs.
# TYPE runs_total counter
runs_total 1
# HELP up Up.
# TYPE up gauge
up 1.5
`, out.String())
	require.Panics(t, func() { plain.Add("a label it does not have") })
}

func TestDebugHandler(t *testing.T) {
	t.Parallel()
	pool, err := pgxpool.New(t.Context(), "postgres://127.0.0.1:1/none")
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	handler := debugHandler([]Source{Runtime(time.Now()), Pool(pool)})
	get := func(host, path string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
		r.Host = host
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w
	}
	metrics := get("127.0.0.1:9090", "/metrics")
	require.Equal(t, http.StatusOK, metrics.Code)
	for _, name := range []string{"go_goroutines ", "go_memory_total_bytes ", "go_gc_cpu_seconds_total ", "steward_db_connections_max "} {
		require.Contains(t, metrics.Body.String(), "\n"+name)
	}
	require.Equal(t, http.StatusOK, get("localhost:9090", "/debug/pprof/goroutine?debug=1").Code)
	require.Equal(t, http.StatusMisdirectedRequest, get("rebound.test:9090", "/debug/pprof/").Code)
	require.Equal(t, http.StatusNotFound, get("[::1]:9090", "/").Code)
}

func TestServeDebugEndsWithItsContext(t *testing.T) {
	t.Parallel()
	log := slog.New(slog.DiscardHandler)
	require.NoError(t, ServeDebug(t.Context(), "", log), "no address, nothing to serve")
	require.Error(t, ServeDebug(t.Context(), "127.0.0.1:not-a-port", log))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- ServeDebug(ctx, "127.0.0.1:0", log) }()
	cancel()
	select {
	case err := <-ended:
		if err != nil { // it had not begun to listen
			require.ErrorIs(t, err, context.Canceled)
		}
	case <-time.After(10 * time.Second):
		require.FailNow(t, "it does not end")
	}
}
