// Package installtest carries out changes of packages in tests, by the real workflows and activities, without a
// Temporal server.
package installtest

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"steward/activities"
	"steward/internal/automation"
	"steward/internal/install"
	"steward/workflows"
)

// Temporal is a client that runs the workflows of packages in this process, each on its own.
type Temporal struct {
	client.Client

	t       testing.TB
	mu      sync.Mutex
	away    bool
	running sync.WaitGroup
	started map[string]*execution
	acts    *activities.Package
}

type execution struct {
	client.WorkflowRun
	done chan struct{}
	err  error
}

// New makes one. Work must be called before anything is started.
func New(t testing.TB) *Temporal {
	t.Helper()
	x := &Temporal{t: t, started: map[string]*execution{}}
	t.Cleanup(x.running.Wait)
	return x
}

// Work gives it a worker.
func (x *Temporal) Work(installer *install.Installer, log *slog.Logger) {
	acts, err := activities.NewPackage(installer, log)
	require.NoError(x.t, err)
	x.acts = acts
}

// Leave makes it unreachable, or reachable again.
func (x *Temporal) Leave(away bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.away = away
}

// ExecuteWorkflow implements client.Client; a workflow that was started before is not started again.
func (x *Temporal) ExecuteWorkflow(_ context.Context, o client.StartWorkflowOptions, name any, args ...any) (client.WorkflowRun, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.away {
		return nil, serviceerror.NewUnavailable("Temporal is away")
	}
	if known := x.started[o.ID]; known != nil {
		return known, nil
	}
	e := &execution{done: make(chan struct{})}
	x.started[o.ID] = e
	x.running.Go(func() {
		defer close(e.done)
		e.err = x.run(o.ID, name, args)
	})
	return e, nil
}

// DescribeWorkflowExecution implements client.Client: it tells what runs from what has ended.
func (x *Temporal) DescribeWorkflowExecution(_ context.Context, id, _ string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	x.mu.Lock()
	e := x.started[id]
	x.mu.Unlock()
	if e == nil {
		return nil, serviceerror.NewNotFound("no such workflow")
	}
	status := enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING
	select {
	case <-e.done:
		status = enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED
	default:
	}
	return &workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{Status: status}}, nil
}

func (x *Temporal) run(id string, name any, args []any) error {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(5 * time.Minute)
	env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: id, TaskQueue: automation.TaskQueue})
	env.RegisterWorkflowWithOptions(workflows.PackageChange, workflow.RegisterOptions{Name: automation.WorkflowPackageChange})
	env.RegisterWorkflowWithOptions(workflows.PackageCheck, workflow.RegisterOptions{Name: automation.WorkflowPackageCheck})
	for name, method := range activities.Packages(x.acts) {
		env.RegisterActivityWithOptions(method, activity.RegisterOptions{Name: name})
	}
	env.ExecuteWorkflow(name, args...)
	return env.GetWorkflowError()
}

// Get implements client.WorkflowRun.
func (e *execution) Get(ctx context.Context, _ any) error {
	select {
	case <-e.done:
		return e.err
	case <-ctx.Done():
		return ctx.Err()
	}
}
