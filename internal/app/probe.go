package app

import (
	"context"
	"errors"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"steward/api"
	"steward/internal/automation"
)

// probes are what /ready asks. The API keeps their answers for a second.
func (s *shared) probes() []api.Probe {
	return []api.Probe{
		{Name: "postgres", Check: s.probePostgres},
		{Name: "temporal", Check: s.probeTemporal},
		{Name: "worker", Check: s.probeWorker},
	}
}

// probePostgres asks what accepting a run asks, so that a database without our tables is not ready.
func (s *shared) probePostgres(ctx context.Context) error {
	_, err := s.db.CountQueued(ctx, 1)
	return err
}

func (s *shared) probeTemporal(ctx context.Context) error {
	_, err := s.temporal.CheckHealth(ctx, &client.CheckHealthRequest{})
	return err
}

// pollerAge is how long ago a worker may have asked for work: a poll that finds none ends after a minute,
// and Temporal remembers a poller that has gone for five.
const pollerAge = 70 * time.Second

var errNoWorker = errors.New("no worker polls the task queue")

// probeWorker asks whether a worker lives, and whether Temporal has work to give to one.
func (s *shared) probeWorker(ctx context.Context) error {
	switch present, err := s.someonePresent(ctx); {
	case err != nil:
		return err
	case !present:
		return errNoWorker
	}
	return s.probePollers(ctx)
}

func (s *shared) probePollers(ctx context.Context) error {
	for _, kind := range []enumspb.TaskQueueType{enumspb.TASK_QUEUE_TYPE_WORKFLOW, enumspb.TASK_QUEUE_TYPE_ACTIVITY} {
		queue, err := s.temporal.DescribeTaskQueue(ctx, automation.TaskQueue, kind)
		if err != nil {
			return err
		}
		alive := false
		for _, p := range queue.GetPollers() {
			alive = alive || time.Since(p.GetLastAccessTime().AsTime()) < pollerAge
		}
		if !alive {
			return errNoWorker
		}
	}
	return nil
}
