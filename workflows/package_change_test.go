package workflows_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"steward/activities"
	"steward/internal/automation"
	"steward/workflows"
)

var pack *activities.Package

// bench is a workflow environment of packages that notes what was done.
type bench struct {
	*testsuite.TestWorkflowEnvironment
	done   []string
	failed []automation.PackageFailure
	stop   map[string]error // by activity
	tries  map[string]int
}

func newBench() *bench {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	b := &bench{TestWorkflowEnvironment: suite.NewTestWorkflowEnvironment(), stop: map[string]error{}, tries: map[string]int{}}
	b.RegisterWorkflowWithOptions(workflows.PackageChange, workflow.RegisterOptions{Name: automation.WorkflowPackageChange})
	b.RegisterActivity(&activities.Package{})
	b.OnActivity(pack.ResolvePackage, mock.Anything, mock.Anything).Return(func(_ context.Context, in automation.PackageInput) (automation.PackageRelease, error) {
		version := in.Version
		if version == "" {
			version = "2.0.0"
		}
		return automation.PackageRelease{Version: version}, b.note("resolve")
	}).Maybe()
	b.OnActivity(pack.BuildPackage, mock.Anything, mock.Anything).Return(func(_ context.Context, in automation.PackageBuild) (automation.PackageBuilt, error) {
		return automation.PackageBuilt{PackageID: in.PackageID, Version: in.Release.Version, Folder: "s/" + in.Release.Version}, b.note("build")
	}).Maybe()
	b.OnActivity(pack.TryPackage, mock.Anything, mock.Anything).Return(func(context.Context, automation.PackageBuilt) error { return b.note("try") }).Maybe()
	b.OnActivity(pack.SwitchPackage, mock.Anything, mock.Anything).Return(func(_ context.Context, in automation.PackageBuilt) error {
		return b.note("switch to " + in.Folder)
	}).Maybe()
	b.OnActivity(pack.RemovePackage, mock.Anything, mock.Anything).Return(func(context.Context, automation.PackageInput) error { return b.note("remove") }).Maybe()
	b.OnActivity(pack.FailPackage, mock.Anything, mock.Anything).Return(func(_ context.Context, in automation.PackageFailure) error {
		b.failed = append(b.failed, in)
		return nil
	}).Maybe()
	return b
}

func (b *bench) note(what string) error {
	b.tries[what]++
	if err := b.stop[what]; err != nil {
		return err
	}
	b.done = append(b.done, what)
	return nil
}

func TestPackageIsSwitchedToWhenItAnswers(t *testing.T) {
	t.Parallel()
	for action, want := range map[automation.PackageAction][]string{
		automation.PackageInstall: {"resolve", "build", "try", "switch to s/2.0.0"},
		automation.PackageUpgrade: {"resolve", "build", "try", "switch to s/2.0.0"},
		automation.PackageRemove:  {"remove"},
	} {
		b := newBench()
		b.ExecuteWorkflow(automation.WorkflowPackageChange, automation.PackageInput{PackageID: 7, Action: action})
		require.NoError(t, b.GetWorkflowError())
		require.Equal(t, want, b.done)
		require.Empty(t, b.failed)
	}
}

func TestPackageThatFailsIsLetGo(t *testing.T) {
	t.Parallel()
	const newer = "greeter 1.0.0 needs Node.js >=99; this server has 20.0.0"
	refused := temporal.NewNonRetryableApplicationError(newer, "invalid", nil)
	away := temporal.NewApplicationError("npm failed", "upstream")
	for name, tt := range map[string]struct {
		stage string
		err   error
		tries int
		want  automation.PackageFailure
	}{
		"refused":         {"resolve", refused, 1, automation.PackageFailure{PackageID: 7, Code: "invalid", Message: newer}},
		"index away":      {"build", away, 4, automation.PackageFailure{PackageID: 7, Code: "upstream", Message: "npm failed"}},
		"does not answer": {"try", away, 2, automation.PackageFailure{PackageID: 7, Code: "upstream", Message: "npm failed"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench()
			b.stop[tt.stage] = tt.err
			b.ExecuteWorkflow(automation.WorkflowPackageChange, automation.PackageInput{PackageID: 7, Action: automation.PackageUpgrade})
			require.Error(t, b.GetWorkflowError())
			require.Equal(t, []automation.PackageFailure{tt.want}, b.failed)
			require.Equal(t, tt.tries, b.tries[tt.stage])
			require.NotContains(t, b.done, "switch to s/2.0.0")
		})
	}
}

func TestCancelledPackageIsLetGo(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.stop["build"] = temporal.NewApplicationError("npm failed", "upstream")
	b.RegisterDelayedCallback(b.CancelWorkflow, 2*time.Second)
	b.ExecuteWorkflow(automation.WorkflowPackageChange, automation.PackageInput{PackageID: 7, Action: automation.PackageInstall})
	require.Error(t, b.GetWorkflowError())
	require.Equal(t, []automation.PackageFailure{{PackageID: 7, Code: "cancelled", Message: "the change was cancelled"}}, b.failed)
}
