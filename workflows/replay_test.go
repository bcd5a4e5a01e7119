package workflows_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/workflow"

	"steward/internal/automation"
	"steward/internal/durable"
	"steward/internal/secret"
	"steward/workflows"
)

// Runs that wait for weeks outlive releases: whatever a workflow did once, today's code must do again in
// the same order. `make histories` records these runs from the whole product; an old recording stays when
// its behaviour is patched (workflow.GetVersion), so that both ways are held.
var recorded = []string{
	"approved", "cancelled", "denied_then_edit", "limit", "parked", "plain", "twelve_steps", "unknown_probed",
	"consented", "reviewed", "session_moved", "sessions", "task",
}

// recordedPackage is the installation of a package.
const recordedPackage = "package"

// replay holds a history to a workflow. The key beside the histories seals these test runs and nothing else.
func replay(t *testing.T, name string, as any) error {
	t.Helper()
	dir := filepath.Join("testdata", "histories")
	key, err := os.ReadFile(filepath.Join(dir, "test-only.key"))
	require.NoError(t, err)
	ring, err := secret.NewRing(secret.New(strings.TrimSpace(string(key))))
	require.NoError(t, err)
	replayer, err := durable.NewReplayer(ring)
	require.NoError(t, err)
	replayer.RegisterWorkflowWithOptions(as, workflow.RegisterOptions{Name: automation.WorkflowRun})
	replayer.RegisterWorkflowWithOptions(workflows.PackageChange, workflow.RegisterOptions{Name: automation.WorkflowPackageChange})
	quiet := sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler))
	return replayer.ReplayWorkflowHistoryFromJSONFile(quiet, filepath.Join(dir, name+".json"))
}

func TestRecordedRunsReplay(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("testdata", "histories", "*.json"))
	require.NoError(t, err)
	require.Len(t, files, len(recorded)+1, "every recording is listed")
	for _, name := range append([]string{recordedPackage}, recorded...) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.NoError(t, replay(t, name, workflows.AutomationRun))
		})
	}
}

// A replay that cannot fail proves nothing.
func TestAnotherOrderOfCommandsDoesNotReplay(t *testing.T) {
	t.Parallel()
	for change, changed := range map[string]any{
		"a timer before": func(ctx workflow.Context, in automation.RunInput) (automation.RunResult, error) {
			if err := workflow.Sleep(ctx, time.Second); err != nil {
				return automation.RunResult{}, err
			}
			return workflows.AutomationRun(ctx, in)
		},
		"nothing at all": func(workflow.Context, automation.RunInput) (automation.RunResult, error) {
			return automation.RunResult{State: automation.Success}, nil
		},
		"another activity first": func(ctx workflow.Context, in automation.RunInput) (automation.RunResult, error) {
			ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
			if err := workflow.ExecuteActivity(ctx, automation.ActivityPlanStep, in).Get(ctx, nil); err != nil {
				return automation.RunResult{}, err
			}
			return workflows.AutomationRun(ctx, in)
		},
	} {
		for _, name := range recorded {
			require.ErrorContains(t, replay(t, name, changed), "TMPRL1100", "%s, %s", name, change)
		}
	}
}
