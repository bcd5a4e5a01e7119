package conformance_test

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"steward/dev/conformance"
)

// beyond are scenarios that no revision requires of a client and that ours passes.
var beyond = []string{
	"auth/client-credentials-basic", "auth/client-credentials-jwt", "auth/wif-jwt-bearer", "json-schema-2020-12-preservation",
}

// Our client stack against the suite's servers. What else fails is what client-expected.yml names, no less and no more.
func TestClient(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "client")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./client").CombinedOutput()
	require.NoError(t, err, "%s", out)
	expected := expectedOfClient(t)
	for revision, scored := range map[string]int{"2025-11-25": 18, "2026-07-28": 32} { // each runs all its scenarios at once
		required := conformance.Required(t, revision, "client")
		require.Len(t, required, scored)
		outcome := conformance.Run(t, nil, "client", "--command", program, "--requirements", revision)
		for _, name := range slices.Concat(required, beyond) {
			require.Empty(t, outcome[name].Failed, "%s of %s", name, revision)
			require.Empty(t, outcome[name].Warned, "%s of %s", name, revision)
		}
		require.Empty(t, outcome.Failing(slices.Concat(required, beyond)...), revision)
		require.ElementsMatch(t, expected, outcome.Failing(slices.Collect(maps.Keys(outcome))...), revision)
		t.Logf("%s: %d scenarios, %d checks; beyond them %d scenarios, %d checks",
			revision, scored, outcome.Checks(required...), len(beyond), outcome.Checks(beyond...))
	}
}

func expectedOfClient(t *testing.T) []string {
	t.Helper()
	doc, err := os.ReadFile("client-expected.yml")
	require.NoError(t, err)
	var expected struct{ Client []string }
	require.NoError(t, yaml.Unmarshal(doc, &expected))
	return expected.Client
}
