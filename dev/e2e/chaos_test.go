package e2e_test

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
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
	require.Len(t, s.outbox(t), len(w.ids))
	t.Logf("%d runs, %d kills: every mail stands exactly once; %d outcomes were unknown for a while, all resolved", len(w.ids), *chaosKills, unknown)
	for name, d := range w.recovery {
		slices.Sort(d)
		t.Logf("recovery after kill -9 of %-8s  n=%2d p50 %6.2fs p99 %6.2fs", name, len(d), d[len(d)/2].Seconds(), d[len(d)*99/100].Seconds())
	}
	verified := s.steward(t, "audit", "verify", "--temporal")
	t.Logf("%s", verified)
}

// startRuns posts the runs over the time of the storm.
func (w *storm) startRuns(ctx context.Context, n int) {
	for i := range n {
		to := fmt.Sprintf("r%d@example.com", i)
		w.startRun(ctx, to)
		pause(ctx, time.Duration(300+i%5*200)*time.Millisecond)
	}
}

func (w *storm) startRun(ctx context.Context, to string) int64 {
	id := w.insist(ctx, "storm-"+to, map[string]any{
		"mcp_server_id": 1, "approval": "never",
		"instructions": "Find all emails from last week about invoices, total them and send the sum to " + to,
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ids[to] = id
	return id
}

// insist repeats a request without an answer under its Idempotency-Key, as a careful client does.
func (w *storm) insist(ctx context.Context, key string, body map[string]any) int64 {
	for ctx.Err() == nil {
		a := w.callWithKey(ctx, "/automation/run", w.token, key, body)
		if a.status == 202 {
			var v view
			require.NoError(w.t, json.Unmarshal(a.body, &v))
			return v.RunID
		}
		require.Contains(w.t, []int{0, 500, 502, 503}, a.status, "%s", a.body)
		pause(ctx, 20*time.Millisecond)
	}
	return 0
}

// kills strikes at random. Recovery is the time from the kill to the end of a small run that somebody asks
// for at that very moment: accept, start, model, tool, finish.
func (w *storm) kills(ctx context.Context, n int) {
	names := []string{"worker", "api", "temporal", "postgres"}
	for i := range n {
		pause(ctx, time.Duration(w.random.IntN(1500))*time.Millisecond)
		name := names[(i+w.random.IntN(2))%len(names)]
		if name == "worker" {
			w.awaitSend(ctx, fmt.Sprintf("k%d@example.com", i))
		}
		pid, err := w.pid(name)
		for err != nil || syscall.Kill(pid, syscall.SIGKILL) != nil { // between two lives
			require.NoError(w.t, ctx.Err(), "%s does not come back", name)
			pause(ctx, 50*time.Millisecond)
			pid, err = w.pid(name)
		}
		began := time.Now()
		id := w.insist(ctx, fmt.Sprintf("after-kill-%d", i), map[string]any{
			"servers": []string{"files"}, "instructions": `#sim: steps 1 tool list_files args {}`,
		})
		for w.stateOf(ctx, id) != "success" {
			require.NoError(w.t, ctx.Err(), "no recovery after the kill of %s", name)
			pause(ctx, 20*time.Millisecond)
		}
		w.recovery[name] = append(w.recovery[name], time.Since(began))
	}
}

// awaitSend starts one more run and returns when its mail is claimed: a worker that is killed now may or may
// not have sent it. Blind kills hardly ever hit those few milliseconds.
func (w *storm) awaitSend(ctx context.Context, to string) {
	id := w.startRun(ctx, to)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url+path(id, "events"), nil)
	require.NoError(w.t, err)
	req.Header.Set("Authorization", "Bearer "+w.token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return // the API is still on its way back: this kill is a blind one
	}
	defer func() { _ = res.Body.Close() }()
	claimed := false
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		switch line := lines.Text(); {
		case strings.HasPrefix(line, "event: "):
			claimed = line == "event: tool.claimed"
		case claimed && strings.Contains(line, "send_email"):
			return
		}
	}
}

// stateOf is empty while nobody answers.
func (w *storm) stateOf(ctx context.Context, id int64) string {
	a := w.call(ctx, "GET", strings.TrimSuffix(path(id, ""), "/"), w.token, nil)
	var v view
	if a.status != 200 || json.Unmarshal(a.body, &v) != nil {
		return ""
	}
	return v.State
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
