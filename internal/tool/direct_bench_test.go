package tool_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/launch/process"
	"steward/internal/mcpclient"
	"steward/internal/registry"
	"steward/internal/secret"
	"steward/internal/tool"
)

// BenchmarkDirect compares calls outside runs, recorded as they are, with the same call on a kept session of the pool
// alone. The two alternate, so that both have the same machine. Goals (issue C): a read at most twice the bare call, a
// recorded effect at most 3 ms more, 1,500 reads a second with 8 callers.
func BenchmarkDirect(b *testing.B) {
	for _, transport := range []string{"http", "stdio"} {
		b.Run(transport, func(b *testing.B) {
			d, call, bare := benchDesk(b, transport)
			b.Run("read", func(b *testing.B) { compare(b, call("get"), bare("get")) })
			b.Run("effect", func(b *testing.B) { compare(b, call("post"), bare("post")) })
			b.Run("read by 8", func(b *testing.B) { together(b, 8, call("get")) })
			b.Run("bare by 8", func(b *testing.B) { together(b, 8, bare("get")) })
			b.Run("effect by 8", func(b *testing.B) { together(b, 8, call("post")) })
			require.NoError(b, d.x.Close(b.Context()))
		})
	}
}

// benchDesk makes one call of a tool through the executor, and on the pool alone.
func benchDesk(b *testing.B, transport string) (d *desk, call, bare func(name string) func() error) {
	d = newDesk(b)
	target := mcpclient.Target{Key: mcpclient.Key{Owner: owner, Server: 99}, Name: "bare"}
	server := int64(deskServer)
	if transport == "stdio" {
		self, err := os.Executable()
		require.NoError(b, err)
		folder := b.TempDir()
		env := map[string]secret.String{serverFolder: secret.New(folder)}
		server = 23
		require.NoError(b, registry.Register(b.Context(), d.db.Queries, d.ring, registry.Server{
			ID: server, Name: "child", Transport: "stdio", Command: self, Args: []string{folder}, Trusted: true, Env: env,
		}))
		box, dir, err := process.Registered{Command: self, Named: []string{folder}}.Child() // as confined as the other one
		require.NoError(b, err)
		target.Stdio = &mcpclient.Stdio{Command: self, Args: []string{folder}, Env: env, Dir: dir, Sandbox: box}
	} else {
		target.HTTP = &mcpclient.HTTP{URL: d.remote.URL, Client: &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}}
	}
	watching, stop := context.WithCancel(b.Context())
	var watch sync.WaitGroup
	watch.Go(func() { _ = d.reg.Watch(watching) })
	pool, err := mcpclient.New(mcpclient.Options{Log: slog.New(slog.DiscardHandler)})
	require.NoError(b, err)
	b.Cleanup(func() {
		stop()
		watch.Wait()
		require.NoError(b, pool.Close(context.WithoutCancel(b.Context())))
	})
	arguments := json.RawMessage(`{"text":"a"}`)
	call = func(name string) func() error {
		return func() error {
			_, err := d.x.Direct(b.Context(), tool.Direct{
				Owner: owner, Actor: owner, Via: tool.ViaREST, Server: server, Tool: name, Arguments: arguments,
			})
			return err
		}
	}
	bare = func(name string) func() error {
		return func() error {
			_, err := pool.Call(b.Context(), target, mcpclient.Call{Tool: name, Arguments: arguments})
			return err
		}
	}
	return d, call, bare
}

// compare runs the two in turn and reports the median of each.
func compare(b *testing.B, ours, bare func() error) {
	var took, alone []time.Duration
	measure := func(f func() error) time.Duration {
		began := time.Now()
		if err := f(); err != nil {
			b.Fatal(err)
		}
		return time.Since(began)
	}
	for b.Loop() {
		took, alone = append(took, measure(ours)), append(alone, measure(bare))
	}
	median := func(all []time.Duration) float64 {
		slices.Sort(all)
		return float64(all[len(all)/2].Microseconds())
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(took), "ours-p50-µs")
	b.ReportMetric(median(alone), "bare-p50-µs")
	b.ReportMetric(median(took)/median(alone), "ratio")
	b.ReportMetric((median(took)-median(alone))/1000, "added-ms")
}

// together reports how many calls a second so many callers get through.
func together(b *testing.B, callers int, call func() error) {
	var wg sync.WaitGroup
	next := make(chan struct{})
	for range callers {
		wg.Go(func() {
			for range next {
				if err := call(); err != nil {
					b.Error(err)
				}
			}
		})
	}
	began, n := time.Now(), 0
	for b.Loop() {
		next <- struct{}{}
		n++
	}
	close(next)
	wg.Wait()
	b.ReportMetric(float64(n)/time.Since(began).Seconds(), "calls/s")
}
