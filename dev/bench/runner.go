package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"go.temporal.io/sdk/client"

	"steward/internal/auth"
	"steward/internal/automation"
	"steward/internal/durable"
	"steward/internal/run"
	"steward/internal/secret"
	"steward/internal/tool"
)

// runners start runs and bare workflows.
type runners struct {
	site     *site
	observed *observed
	plain    client.Client
	service  *run.Service
	model    *recorder
}

func newRunners(s *site) (*runners, error) {
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
	o.service, err = run.New(s.db, s.ring, o.observed, s.tools, s.users, s.log, run.Options{
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
