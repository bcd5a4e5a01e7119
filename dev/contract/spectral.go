package contract

import (
	"fmt"
	"os/exec"
	"testing"
)

// Spectral holds an OpenAPI document to Spectral's own rules for OpenAPI; a warning is an error. The error
// says what was found, and where.
func Spectral(t testing.TB, document string) error {
	t.Helper()
	rules := fromRoot(t, "dev", "contract", "spectral.yaml")
	args := []string{"lint", document, "--ruleset", rules, "--fail-severity", "warn", "--quiet"}
	out, err := exec.CommandContext(t.Context(), tool(t, "spectral"), args...).CombinedOutput() //nolint:gosec // G204: our own tool
	if err != nil {
		return fmt.Errorf("spectral: %w\n%s", err, out)
	}
	return nil
}
