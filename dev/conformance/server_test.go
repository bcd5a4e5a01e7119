package conformance_test

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/api/mcp"
	"steward/dev/conformance"
	"steward/dev/conformance/fixture"
)

// fixtures serves the suite's own tools through our doors.
func fixtures(t *testing.T) string {
	t.Helper()
	server, err := fixture.New(t.Context())
	require.NoError(t, err)
	return newSite(t, mcp.Around(server, nil, slog.New(slog.DiscardHandler))).signedIn(t) + mcp.Path
}

// One scenario after another, because each has a Node of its own and some give an answer no more than a second.
func TestServer(t *testing.T) {
	t.Parallel()
	for revision, scored := range map[string]int{"2025-11-25": 30, "2026-07-28": 37} {
		t.Run(revision, func(t *testing.T) {
			t.Parallel()
			required := conformance.Required(t, revision, "server")
			require.Len(t, required, scored)
			url := fixtures(t)
			outcome := conformance.Run(t, nil, "server", "--url", url, "--requirements", revision)
			require.Empty(t, outcome.Failing(required...))
			for _, name := range required {
				require.Empty(t, outcome[name].Skipped, name)
				if len(outcome[name].Warned) > 0 { // perhaps this machine was slow
					outcome[name] = conformance.Run(t, nil, "server", "--url", url, "--scenario", name, "--spec-version", revision)[name]
				}
				require.Empty(t, outcome[name].Failed, name)
				require.Empty(t, outcome[name].Warned, name)
			}
			t.Logf("%d scenarios, %d checks", scored, outcome.Checks(required...))
		})
	}
}

// tasks are the scenarios of the Tasks extension (SEP-2663), which no revision requires.
var tasks = []string{
	"tasks-lifecycle", "tasks-capability-negotiation", "tasks-wire-fields", "tasks-request-state-removal", "tasks-mrtr-input",
	"tasks-request-headers", "tasks-dispatch-and-envelope", "tasks-status-notifications", "tasks-required-task-error", "tasks-mrtr-composition",
}

// notJudged is skipped by the suite itself: it looks for notifications where SEP-2663 no longer sends them.
const notJudged = "tasks-status-notifications"

func TestTasks(t *testing.T) {
	t.Parallel()
	url := fixtures(t)
	for _, name := range tasks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			outcome := conformance.Run(t, nil, "server", "--url", url, "--scenario", name, "--force")
			require.Empty(t, outcome[name].Failed)
			if name == notJudged {
				require.Empty(t, outcome.Checks(name), "the suite judges it now: it belongs with the others")
				return
			}
			require.Empty(t, outcome.Failing(name))
			t.Logf("%d checks", outcome.Checks(name))
		})
	}
}
