package e2e_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A short storm runs with every test; `make chaos` asks for the long one.
var (
	chaosRuns  = flag.Int("chaos.runs", 10, "runs that each send one mail")
	chaosKills = flag.Int("chaos.kills", 6, "kill -9 of random processes meanwhile")
	chaosSeed  = flag.Uint64("chaos.seed", 0, "of the order of kills; 0 takes one from the clock")
)

// storm is one chaos test.
type storm struct {
	*user
	random *rand.Rand

	mu       sync.Mutex
	ids      map[string]int64 // by recipient
	recovery map[string][]time.Duration
}

func TestChaos(t *testing.T) { //nolint:paralleltest // it would slow the others down and they it
	seed := *chaosSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d: repeat with -chaos.seed", seed)
	s := own(t)
	w := &storm{user: s.as(t, "storm"), random: rand.New(rand.NewPCG(seed, 1)), ids: map[string]int64{}, recovery: map[string][]time.Duration{}}
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()

	var starts sync.WaitGroup
	starts.Go(func() { w.startRuns(ctx, *chaosRuns) })
	w.kills(ctx, *chaosKills)
	starts.Wait()

	unknown := 0
	for to, id := range w.ids {
		unknown += w.settle(ctx, to, id)
	}
	sent := map[string]int{}
	for _, m := range s.outbox(t) {
		for to := range w.ids {
			if strings.Contains(m, to) {
				sent[to]++
			}
		}
	}
	for to := range w.ids {
		require.Equal(t, 1, sent[to], "mails to %s", to)
	}
	require.Len(t, s.outbox(t), *chaosRuns)
	t.Logf("%d runs, %d kills: every mail stands exactly once; %d outcomes were unknown for a while, all resolved", *chaosRuns, *chaosKills, unknown)
	for name, d := range w.recovery {
		slices.Sort(d)
		t.Logf("recovery after kill -9 of %-8s n=%2d p50 %6.2fs p99 %6.2fs", name, len(d), d[len(d)/2].Seconds(), d[len(d)*99/100].Seconds())
	}
	verified := s.steward(t, "audit", "verify", "--temporal")
	t.Logf("%s", verified)
}

// startRuns posts the runs over the time of the storm. A request without an answer is repeated under its
// Idempotency-Key, as a careful client does.
func (w *storm) startRuns(ctx context.Context, n int) {
	for i := range n {
		to := fmt.Sprintf("r%d@example.com", i)
		body := map[string]any{
			"mcp_server_id": 1, "approval": "never",
			"instructions": "Find all emails from last week about invoices, total them and send the sum to " + to,
		}
		for ctx.Err() == nil {
			a := w.callWithKey(ctx, "/automation/run", w.token, "storm-"+to, body)
			if a.status == 202 {
				var v view
				require.NoError(w.t, json.Unmarshal(a.body, &v))
				w.mu.Lock()
				w.ids[to] = v.RunID
				w.mu.Unlock()
				break
			}
			require.Contains(w.t, []int{0, 500, 502, 503}, a.status, "%s", a.body)
			pause(ctx, 200*time.Millisecond)
		}
		pause(ctx, time.Duration(300+i%5*200)*time.Millisecond)
	}
}

// kills strikes at random and waits until everything is ready again before it strikes the next time.
func (w *storm) kills(ctx context.Context, n int) {
	names := []string{"worker", "api", "temporal", "postgres"}
	for i := range n {
		pause(ctx, time.Duration(w.random.IntN(1500))*time.Millisecond)
		name := names[(i+w.random.IntN(2))%len(names)]
		require.Eventually(w.t, func() bool { _, err := w.pid(name); return err == nil }, 10*time.Second, 50*time.Millisecond)
		w.kill(w.t, name)
		began := time.Now()
		for !w.ready(ctx) {
			if ctx.Err() != nil || time.Since(began) > 2*time.Minute {
				require.FailNow(w.t, "not ready again after kill of "+name)
			}
			pause(ctx, 20*time.Millisecond)
		}
		w.recovery[name] = append(w.recovery[name], time.Since(began))
	}
}

// ready asks twice in a row: the killed process may answer for a moment through its old socket.
func (w *storm) ready(ctx context.Context) bool {
	for range 2 {
		if w.call(ctx, "GET", "/ready", "", nil).status != 200 {
			return false
		}
		pause(ctx, 50*time.Millisecond)
	}
	return true
}

// settle brings a run to its end; a visible decision about an unknown outcome is answered with "check".
func (w *storm) settle(ctx context.Context, to string, id int64) (unknown int) {
	for {
		v := w.until(id, 3*time.Minute, func(v view) bool { return ended(v) || v.State == "waiting_for_decision" })
		if v.State == "waiting_for_decision" && ctx.Err() == nil {
			w.decide(id, "check")
			w.until(id, time.Minute, func(v view) bool { return v.State != "waiting_for_decision" })
			continue
		}
		require.Equal(w.t, "success", v.State, "%s: %+v", to, v)
		for _, c := range v.ToolCalls {
			if c.ResolvedBy != "" {
				unknown++
			}
		}
		return unknown
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
