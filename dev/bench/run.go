package main

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"go.temporal.io/sdk/client"

	"steward/internal/auth"
	"steward/internal/automation"
	"steward/internal/durable"
	"steward/internal/run"
	"steward/internal/secret"
	"steward/internal/tool"
)

// One run of instructions is a tool call and a final answer of the model.
const instructions = "#sim: steps 1 tool " + readTool + " args " + readArgs

// How many runs of each kind are measured at each width, in turns so short that noise hits all kinds alike.
var runPlan = []struct{ width, turns, perTurn int }{{1, 80, 1}, {4, 10, 16}, {16, 5, 32}}

// benchRuns compares a whole run, from its acceptance to the end of its workflow, with a bare workflow that
// does the same outside work in as many activities, and with one whose activities do nothing.
func benchRuns(ctx context.Context, s *site, r *report) error {
	if err := s.startWorker(ctx); err != nil {
		return err
	}
	o, err := newRunners(ctx, s)
	if err != nil {
		return err
	}
	defer o.close()
	steps, err := o.record(ctx)
	if err != nil {
		return err
	}
	idle := make([]step, len(steps))
	for i := range idle {
		idle[i] = step{Kind: nothing}
	}
	var same, empty []latency
	var rates []throughput
	for _, plan := range runPlan {
		var ours, bare, noop measured
		for range plan.turns {
			if err := ours.add(ctx, plan.perTurn, plan.width, o.ours); err != nil {
				return err
			}
			if err := bare.add(ctx, plan.perTurn, plan.width, o.bare(steps)); err != nil {
				return err
			}
			if err := noop.add(ctx, plan.perTurn, plan.width, o.bare(idle)); err != nil {
				return err
			}
		}
		name := fmt.Sprintf("%d at once", plan.width)
		same = append(same, latency{name, ours.sample, bare.sample})
		empty = append(empty, latency{name, ours.sample, noop.sample})
		rates = append(rates, throughput{name, ours.perSecond(), bare.perSecond()})
	}
	title := fmt.Sprintf("Run of %d activities / bare workflow with ", len(steps))
	if err := r.latencies(title+"the same outside work", same...); err != nil {
		return err
	}
	if err := r.latencies(title+"empty activities", empty...); err != nil {
		return err
	}
	return r.throughputs("Runs a second / bare workflows with the same outside work", rates...)
}

// measured adds up turns.
type measured struct {
	sample
	total time.Duration
}

func (m *measured) add(ctx context.Context, n, width int, op func(context.Context) error) error {
	taken, total, err := repeated(ctx, n, width, op)
	m.sample = append(m.sample, taken...)
	m.total += total
	return err
}

func (m *measured) perSecond() float64 { return float64(len(m.sample)) / m.total.Seconds() }

// runners start runs and bare workflows.
type runners struct {
	site     *site
	observed *observed
	plain    client.Client
	service  *run.Service
	model    *recorder
}

func newRunners(ctx context.Context, s *site) (*runners, error) {
	codec, err := secret.NewRing(s.cfg.Keys.Codec)
	if err != nil {
		return nil, err
	}
	profile, err := durable.Profile(nil)
	if err != nil {
		return nil, err
	}
	c, err := durable.NewClient(durable.Options{Profile: profile, Codec: codec, Log: s.log})
	if err != nil {
		return nil, err
	}
	o := &runners{site: s, observed: &observed{Client: c}, model: s.model}
	if o.plain, err = dialBare(s.log); err != nil {
		return nil, err
	}
	l := s.cfg.Limits
	o.service, err = run.New(s.db, s.ring, o.observed, s.tools, s.log, run.Options{
		Model: s.cfg.Model.Default, QueueLimit: l.Queue, InstructionsMax: l.Instructions,
		Limits: automation.Limits{Steps: l.Steps, Tokens: l.Tokens, WallSeconds: int64(l.Wall / time.Second)},
	})
	return o, err
}

func (o *runners) close() {
	o.service.Close()
	o.observed.Close()
	o.plain.Close()
}

// start accepts a run as the API does and returns the workflow that the service started for it.
func (o *runners) start(ctx context.Context) (client.WorkflowRun, error) {
	started, err := o.service.Start(ctx, auth.Principal{Owner: owner, Actor: owner}, run.Request{
		MCPServerID: filesID, Instructions: instructions, Approval: tool.ApprovePolicy,
	})
	if err != nil {
		return nil, err
	}
	return o.observed.of(ctx, started.RunID)
}

// ours is one run, from the request to the end of its workflow.
func (o *runners) ours(ctx context.Context) error {
	w, err := o.start(ctx)
	if err != nil {
		return err
	}
	return succeeded(ctx, w)
}

func succeeded(ctx context.Context, w client.WorkflowRun) error {
	var out automation.RunResult
	if err := w.Get(ctx, &out); err != nil {
		return fmt.Errorf("await run: %w", err)
	}
	if out.State != automation.Success {
		return fmt.Errorf("the run ended as %s", out.State)
	}
	return nil
}

func (o *runners) bare(steps []step) func(context.Context) error {
	return func(ctx context.Context) error {
		w, err := o.plain.ExecuteWorkflow(ctx, client.StartWorkflowOptions{TaskQueue: bareQueue, WorkflowTaskTimeout: 5 * time.Second}, bareWorkflow, steps)
		if err != nil {
			return fmt.Errorf("start bare workflow: %w", err)
		}
		return w.Get(ctx, nil)
	}
}

// record carries out a run, keeps what it asked the model, and reads from its history what the bare workflow
// has to do: the comparison stays fair when the product takes more activities, or fewer.
func (o *runners) record(ctx context.Context) ([]step, error) {
	var w client.WorkflowRun
	asked, err := o.model.during(func() (err error) {
		if w, err = o.start(ctx); err != nil {
			return err
		}
		return succeeded(ctx, w)
	})
	if err != nil {
		return nil, err
	}
	for i, body := range asked {
		if err := os.WriteFile(askFile(o.site.data, i), body, 0o600); err != nil {
			return nil, fmt.Errorf("keep request: %w", err)
		}
	}
	var steps []step
	index := 0
	events := o.plain.GetWorkflowHistory(ctx, w.GetID(), w.GetRunID(), false, 0)
	for events.HasNext() {
		e, err := events.Next()
		if err != nil {
			return nil, fmt.Errorf("read history: %w", err)
		}
		switch a := e.GetActivityTaskScheduledEventAttributes(); a.GetActivityType().GetName() {
		case "":
		case automation.ActivityPlanStep:
			steps = append(steps, step{Kind: ask, Index: index})
			index++
		case automation.ActivityCallTool:
			steps = append(steps, step{Kind: call})
		default:
			steps = append(steps, step{Kind: nothing})
		}
	}
	if index != len(asked) {
		return nil, fmt.Errorf("%d activities asked the model, which heard %d requests", index, len(asked))
	}
	return steps, nil
}

// observed is a client that tells which workflow was started for which run.
type observed struct {
	client.Client

	starts sync.Map // run id -> chan client.WorkflowRun
}

// ExecuteWorkflow implements client.Client.
func (o *observed) ExecuteWorkflow(ctx context.Context, opts client.StartWorkflowOptions, workflow any, args ...any) (client.WorkflowRun, error) {
	w, err := o.Client.ExecuteWorkflow(ctx, opts, workflow, args...)
	if in, ok := args[0].(automation.RunInput); ok && err == nil {
		o.channel(in.RunID) <- w
	}
	return w, err
}

func (o *observed) channel(runID int64) chan client.WorkflowRun {
	c, _ := o.starts.LoadOrStore(runID, make(chan client.WorkflowRun, 1))
	return c.(chan client.WorkflowRun)
}

// of waits until the run's workflow has been started.
func (o *observed) of(ctx context.Context, runID int64) (client.WorkflowRun, error) {
	select {
	case w := <-o.channel(runID):
		return w, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
