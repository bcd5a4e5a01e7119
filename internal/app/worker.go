package app

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"golang.org/x/sync/errgroup"

	"steward/activities"
	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/config"
	"steward/internal/durable"
	"steward/internal/llm/price"
	"steward/internal/spending"
	"steward/internal/telemetry"
	"steward/workflows"
)

// Worker carries out runs until ctx ends, and then gives the activities under way the time of
// worker.Options.WorkerStopTimeout. It returns nil after such an end. While Temporal is not there it waits.
func Worker(ctx context.Context, cfg *config.Config, log *slog.Logger) error {
	if err := makeData(cfg); err != nil {
		return err
	}
	s, err := open(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer s.close()
	prices, err := price.Load(cfg.Model.Prices)
	if err != nil {
		return err
	}
	model, err := newModel(cfg.Model, prices)
	if err != nil {
		return err
	}
	book, err := spending.New(prices, spending.Limits{
		UserDayMicroUSD: microUSD(cfg.Spending.UserDay), UserDayTokens: cfg.Spending.DayTokens, DayMicroUSD: microUSD(cfg.Spending.Day),
	})
	if err != nil {
		return err
	}
	own := ownQueue()
	acts, err := activities.New(activities.Deps{
		DB: s.db, Ring: s.ring, Registry: s.registry, Connections: s.connections, Executor: s.executor, Model: model, Spending: book, Log: log,
		Queue: own,
	})
	if err != nil {
		return err
	}
	packages, err := s.newPackageWork(ctx)
	if err != nil {
		return err
	}
	checkpoints, err := audit.NewCheckpointer(s.db, cfg.Keys.Audit, CheckpointFile(cfg), log)
	if err != nil {
		return err
	}
	attempts := telemetry.NewTally("steward_activity_attempts_total", "Attempts of activities that have ended.", "activity", "result")
	// The last checkpoint is signed, and keys are let go, when the last activity has ended.
	lasting, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer end()
		s.work(ctx, acts, packages, own, attempts)
		return nil
	})
	group.Go(func() error { return s.runs.Reconcile(ctx) })
	group.Go(func() error { return s.executor.Reconcile(ctx) })
	group.Go(func() error { return s.packages.Reconcile(ctx) })
	group.Go(func() error { return s.consent.Mend(ctx) })
	group.Go(func() error { return s.registry.Watch(ctx) })
	group.Go(func() error { return s.vault.Run(ctx, log) })
	group.Go(func() error { return checkpoints.Run(lasting) })
	group.Go(func() error { return s.holdKeys(lasting, "worker") })
	group.Go(func() error {
		return telemetry.ServeDebug(ctx, cfg.HTTP.DebugListen, log,
			telemetry.Runtime(time.Now()), telemetry.Pool(s.db.Pool), attempts.Metrics, s.pollingMetric)
	})
	return group.Wait()
}

// microUSD is a setting in dollars as the accounts count.
func microUSD(dollars float64) int64 { return int64(math.Round(dollars * 1_000_000)) }

// Polling is the name of the gauge that is 1 while a worker asks Temporal for work.
const Polling = "steward_worker_polling"

func (s *shared) pollingMetric() []telemetry.Metric {
	value := 0.0
	if s.polling.Load() {
		value = 1
	}
	return []telemetry.Metric{telemetry.One(Polling, "1 while the worker asks Temporal for work.", telemetry.Gauge, value)}
}

// work keeps a Temporal worker running. The SDK's worker polls through restarts of the server, but it
// starts only if the server is there, and gives up for good when its namespace is not: then another one
// takes its place.
func (s *shared) work(ctx context.Context, acts *activities.Run, packages *activities.Package, own string, attempts *telemetry.Tally) {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = 50*time.Millisecond, 2*time.Second
	for ctx.Err() == nil {
		began := time.Now()
		err := s.workOnce(ctx, acts, packages, own, attempts)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > time.Minute {
			pause.Reset()
		}
		s.log.WarnContext(ctx, "worker waits for Temporal", "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(pause.NextBackOff()):
		}
	}
}

// workOnce runs one worker, on the common queue and on its own, until ctx ends or the worker fails.
func (s *shared) workOnce(ctx context.Context, acts *activities.Run, packages *activities.Package, own string, attempts *telemetry.Tally) error {
	// Start cannot be interrupted; this can.
	if _, err := s.temporal.CheckHealth(ctx, &client.CheckHealthRequest{}); err != nil {
		return fmt.Errorf("reach Temporal: %w", err)
	}
	failed := make(chan error, 1) // the first of them is enough
	options := durable.WorkerOptions()
	options.Interceptors = []interceptor.WorkerInterceptor{&activityCounter{attempts: attempts}}
	options.OnFatalError = func(err error) {
		select {
		case failed <- err:
		default:
		}
	}
	w := worker.New(s.temporal, automation.TaskQueue, options)
	register(w, acts)
	registerPackages(w, packages)
	if err := w.Start(); err != nil {
		return fmt.Errorf("start worker: %w", err)
	}
	home := worker.New(s.temporal, own, homeOptions(options))
	registerHome(home, acts)
	if err := home.Start(); err != nil {
		w.Stop()
		return fmt.Errorf("start worker: %w", err)
	}
	defer stopBoth(w, home)
	look, stopLooking := context.WithCancel(ctx)
	var looking sync.WaitGroup
	looking.Go(func() {
		if s.awaitPollers(look) {
			s.present(look)
		}
	})
	defer func() {
		stopLooking()
		looking.Wait()
		s.polling.Store(false)
	}()
	select {
	case <-ctx.Done():
		return nil
	case err := <-failed:
		return fmt.Errorf("worker gave up: %w", err)
	}
}

// awaitPollers waits until Temporal knows of the pollers, a moment after they were started; false if ctx
// ends before.
func (s *shared) awaitPollers(ctx context.Context) bool {
	for s.probePollers(ctx) != nil {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(20 * time.Millisecond):
		}
	}
	s.polling.Store(true)
	s.log.InfoContext(ctx, "worker is polling", "task_queue", automation.TaskQueue, "namespace", s.namespace)
	return true
}

// register lists every workflow and activity under its explicit name.
func register(w worker.Registry, acts *activities.Run) {
	w.RegisterWorkflowWithOptions(workflows.AutomationRun, workflow.RegisterOptions{Name: automation.WorkflowRun})
	for name, method := range map[string]any{
		automation.ActivityResolveTools: acts.ResolveTools,
		automation.ActivityPlanStep:     acts.PlanStep,
		automation.ActivityParkRun:      acts.ParkRun,
		automation.ActivityCallTool:     acts.CallTool,
		automation.ActivitySettleCall:   acts.SettleCall,
		automation.ActivityFinish:       acts.Finish,
	} {
		w.RegisterActivityWithOptions(method, activity.RegisterOptions{Name: name})
	}
}

// registerPackages does the same for packages.
func registerPackages(w worker.Registry, packages *activities.Package) {
	w.RegisterWorkflowWithOptions(workflows.PackageChange, workflow.RegisterOptions{Name: automation.WorkflowPackageChange})
	w.RegisterWorkflowWithOptions(workflows.PackageCheck, workflow.RegisterOptions{Name: automation.WorkflowPackageCheck})
	for name, method := range activities.Packages(packages) {
		w.RegisterActivityWithOptions(method, activity.RegisterOptions{Name: name})
	}
}

// Both runs API and Worker in one process; the first error ends both.
func Both(ctx context.Context, cfg *config.Config, log *slog.Logger) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return API(ctx, cfg, log) })
	group.Go(func() error {
		own := *cfg
		own.HTTP.DebugListen = "" // one listener, the API's
		return Worker(ctx, &own, log)
	})
	return group.Wait()
}
