package registry_test

import (
	"os"
	"testing"

	"steward/internal/launch/process"
)

// TestMain lets this very program become the wrapper of the children that it starts.
func TestMain(m *testing.M) {
	process.Become()
	os.Exit(m.Run())
}
