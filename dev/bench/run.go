package main

import (
	"context"
	"fmt"
	"time"
)

// One run of instructions is a tool call and a final answer of the model.
const instructions = "#sim: steps 1 tool " + readTool + " args " + readArgs

// How many runs of each kind are measured at each width, in turns so short that noise hits all kinds alike.
var runPlan = []struct{ width, turns, perTurn int }{{1, 80, 1}, {4, 10, 16}, {16, 5, 32}}

// benchRuns compares a whole run, from its acceptance to the end of its workflow, with a bare workflow that
// does the same outside work in as many activities, and with one whose activities do nothing.
func benchRuns(ctx context.Context, s *site, r *report) error {
	worker, err := s.startRole(ctx, "worker")
	if err != nil {
		return err
	}
	s.later(worker.Stop) // the burst needs it too
	o, err := newRunners(s)
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
