package telemetry

import (
	"runtime/metrics"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// runtimeNames maps what the Go runtime measures to the names under which we show it.
var runtimeNames = []struct {
	from, name, help string
	kind             Kind
}{
	{"/sched/goroutines:goroutines", "go_goroutines", "Goroutines that exist.", Gauge},
	{"/memory/classes/heap/objects:bytes", "go_heap_objects_bytes", "Bytes of living and not yet swept objects.", Gauge},
	{"/memory/classes/total:bytes", "go_memory_total_bytes", "Bytes mapped by the Go runtime.", Gauge},
	{"/gc/cycles/total:gc-cycles", "go_gc_cycles_total", "Completed garbage collections.", Counter},
	{"/cpu/classes/gc/total:cpu-seconds", "go_gc_cpu_seconds_total", "CPU time spent on garbage collection, estimated.", Counter},
}

// Runtime tells about the process itself.
func Runtime(started time.Time) Source {
	return func() []Metric {
		samples := make([]metrics.Sample, len(runtimeNames))
		for i, n := range runtimeNames {
			samples[i].Name = n.from
		}
		metrics.Read(samples)
		out := []Metric{One("process_start_time_seconds", "When the process started, in Unix time.", Gauge, float64(started.UnixMilli())/1e3)}
		for i, n := range runtimeNames {
			switch v := samples[i].Value; v.Kind() {
			case metrics.KindUint64:
				out = append(out, One(n.name, n.help, n.kind, float64(v.Uint64())))
			case metrics.KindFloat64:
				out = append(out, One(n.name, n.help, n.kind, v.Float64()))
			}
		}
		return out
	}
}

// Pool tells about the connections to PostgreSQL.
func Pool(pool *pgxpool.Pool) Source {
	return func() []Metric {
		s := pool.Stat()
		return []Metric{
			One("steward_db_connections_max", "Connections that the pool may open.", Gauge, float64(s.MaxConns())),
			One("steward_db_connections_open", "Connections that are open.", Gauge, float64(s.TotalConns())),
			One("steward_db_connections_used", "Connections in use.", Gauge, float64(s.AcquiredConns())),
			One("steward_db_acquires_total", "Connections handed out.", Counter, float64(s.AcquireCount())),
			One("steward_db_acquire_seconds_total", "Time spent waiting for a connection.", Counter, s.AcquireDuration().Seconds()),
			One("steward_db_acquires_cancelled_total", "Waits for a connection that were given up.", Counter, float64(s.CanceledAcquireCount())),
		}
	}
}
