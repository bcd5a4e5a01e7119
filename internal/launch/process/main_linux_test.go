package process

import (
	"os"
	"path/filepath"
	"testing"
)

// Files that the tests execute. They are written before any test runs: a file that is open for writing in a process
// that another test is just forking cannot be executed.
var files struct{ good, garbage string }

// TestMain lets the test binary be the wrapper, and the children that the tests start.
func TestMain(m *testing.M) {
	Become()
	if len(os.Args) > 2 && os.Args[1] == "child" {
		os.Exit(child(os.Args[2], os.Args[3:]))
	}
	os.Exit(prepared(m))
}

// prepared runs the tests with a copy of the test binary where every user gets through to it.
func prepared(m *testing.M) int {
	dir, err := os.MkdirTemp("", "steward-launch-")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.Chmod(dir, 0o755); err != nil {
		panic(err)
	}
	binary, err := os.ReadFile(self)
	if err != nil {
		panic(err)
	}
	files.good, files.garbage = filepath.Join(dir, "program"), filepath.Join(dir, "garbage")
	for path, content := range map[string][]byte{files.good: binary, files.garbage: []byte("no program")} {
		if err := os.WriteFile(path, content, 0o755); err != nil {
			panic(err)
		}
	}
	return m.Run()
}
