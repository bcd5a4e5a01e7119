// Package counterpart starts npm programs of dev/deps that stand in for services of other people: Google, a
// model. Each is a folder below this one. They are for tests: a program ends with the test that started it.
package counterpart

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/dev/stack/process"
)

// Program is what to start.
type Program struct {
	Name  string
	Main  string   // the JavaScript file, below dev/deps/node_modules, or absolute
	Args  []string // without Main
	Env   []string // beside PATH and HOME, as "name=value"
	Ready func(context.Context) error
}

// Start runs the program with Node until the test ends, and returns once it answers. Its whole process group
// is killed then, or when the test dies.
func Start(t testing.TB, p Program) {
	t.Helper()
	node, err := exec.LookPath("node")
	require.NoError(t, err, "run make deps")
	main := p.Main
	if !filepath.IsAbs(main) {
		main = filepath.Join(Deps(t), "node_modules", filepath.FromSlash(main))
	}
	require.FileExists(t, main, "run make deps")
	logFile := filepath.Join(t.TempDir(), "log")
	child, err := process.Start(t.Context(), process.Config{
		Name: p.Name, Path: node, Args: append([]string{main}, p.Args...), Env: append(process.Inherit("PATH", "HOME"), p.Env...),
		Log: slog.New(slog.DiscardHandler), LogFile: logFile, Ready: p.Ready,
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 10*time.Second)
		defer cancel()
		_ = child.Stop(ctx)                                              // what has to be killed is killed
		if said, err := os.ReadFile(logFile); err == nil && t.Failed() { //nolint:gosec // G304: our own file
			t.Logf("%s said:\n%s", p.Name, said)
		}
	})
}

// FreePort is a port of 127.0.0.1 on which nothing listens at this moment.
func FreePort(t testing.TB) int {
	t.Helper()
	port, err := process.FreePort(t.Context(), 0)
	require.NoError(t, err)
	return port
}

// Deps is the folder with the programs of dev/deps.
func Deps(t testing.TB) string {
	t.Helper()
	return filepath.Join(root(t), "dev", "deps")
}

// root is the folder of go.mod.
func root(t testing.TB) string {
	t.Helper()
	module, err := exec.CommandContext(t.Context(), "go", "env", "GOMOD").Output()
	require.NoError(t, err)
	return filepath.Dir(string(bytes.TrimSpace(module)))
}
