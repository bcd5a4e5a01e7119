package stack_test
import ("testing";"time";"sort";"go.temporal.io/sdk/client";"go.temporal.io/sdk/worker";"go.temporal.io/sdk/workflow";"context";"github.com/stretchr/testify/require")
func act(context.Context) error { return nil }
func one(ctx workflow.Context, n int) error {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
	for range n { if err := workflow.ExecuteActivity(ctx, act).Get(ctx, nil); err != nil { return err } }
	return nil
}
func TestBenchTmp(t *testing.T) {
	s := start(t, config(t, folder(t)))
	c, err := client.Dial(client.Options{HostPort: s.TemporalAddress}); require.NoError(t, err); defer c.Close()
	w := worker.New(c, "b", worker.Options{}); w.RegisterWorkflow(one); w.RegisterActivity(act); require.NoError(t, w.Start()); defer w.Stop()
	for _, n := range []int{0, 1, 5} {
		var d []time.Duration
		for range 100 {
			b := time.Now()
			r, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{TaskQueue: "b"}, one, n); require.NoError(t, err)
			require.NoError(t, r.Get(t.Context(), nil))
			d = append(d, time.Since(b))
		}
		sort.Slice(d, func(i, j int) bool { return d[i] < d[j] })
		t.Log(n, "activities p50", d[50], "p99", d[98])
	}
}
