package dev

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"steward/internal/fault"
)

const temporalProgram = "steward-temporal"

// TemporalState says whether the embedded server can be started.
type TemporalState int

// The program is there, or can be built, or neither.
const (
	TemporalBuilt TemporalState = iota
	TemporalSource
	TemporalAbsent
)

// FindTemporal looks for the embedded server as Run does, for our program at exe.
func FindTemporal(exe string) TemporalState {
	if _, err := os.Stat(filepath.Join(filepath.Dir(exe), temporalProgram)); err == nil {
		return TemporalBuilt
	}
	if _, found := temporalSource(exe); found && onPath("go") {
		return TemporalSource
	}
	return TemporalAbsent
}

func onPath(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}

// temporalBinary is the embedded Temporal server beside our own program. Where it is missing and the
// source and a Go toolchain are there, it is built: minutes the first time, told on out.
func temporalBinary(ctx context.Context, exe string, out io.Writer) (string, error) {
	binary := filepath.Join(filepath.Dir(exe), temporalProgram)
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	source, found := temporalSource(exe)
	if !found {
		return "", fault.New(fault.Unavailable, "%s is not beside this program: build it with make bin/%[1]s, or set TEMPORAL_ADDRESS to a Temporal server that runs", temporalProgram).
			WithCode("temporal_missing")
	}
	if !onPath("go") {
		return "", fault.New(fault.Unavailable, "%s is not beside this program and there is no Go to build it: install Go, or set TEMPORAL_ADDRESS to a Temporal server that runs", temporalProgram).
			WithCode("temporal_missing")
	}
	return binary, buildTemporal(ctx, source, binary, out)
}

// temporalSource looks for the server's own module beside the program's folder and in the working one.
func temporalSource(exe string) (string, bool) {
	for _, root := range []string{filepath.Dir(filepath.Dir(exe)), "."} {
		dir := filepath.Join(root, "dev", "temporal")
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, true
		}
	}
	return "", false
}

// buildTemporal uses the flags of the Makefile, whose work is then not done twice. The program appears
// under its name only when it is whole.
func buildTemporal(ctx context.Context, source, binary string, out io.Writer) error {
	binary, err := filepath.Abs(binary)
	if err != nil {
		return fmt.Errorf("build %s: %w", temporalProgram, err)
	}
	fresh := binary + ".new"
	defer func() { _ = os.Remove(fresh) }() // gone already after the rename
	_, _ = fmt.Fprintf(out, "building %s, once; this takes minutes where Go has not built it before\n", temporalProgram)
	build := exec.CommandContext(ctx, "go", "build", "-C", source, "-v", "-trimpath", "-ldflags", "-s -w", "-o", fresh, ".") //nolint:gosec // G204: our own source
	packages, err := build.StderrPipe()
	if err != nil {
		return fmt.Errorf("build %s: %w", temporalProgram, err)
	}
	if err := build.Start(); err != nil {
		return fmt.Errorf("build %s: %w", temporalProgram, err)
	}
	last, readErr := count(packages, out)
	if err := errors.Join(readErr, build.Wait()); err != nil {
		return fault.Wrap(err, fault.Unavailable, "%s could not be built: %s", temporalProgram, last).WithCode("temporal_missing")
	}
	if err := os.Rename(fresh, binary); err != nil {
		return fmt.Errorf("build %s: %w", temporalProgram, err)
	}
	return nil
}

// count turns the compiler's list of packages into a line now and then, and returns its last line.
func count(packages io.Reader, out io.Writer) (last string, err error) {
	lines, n, said := bufio.NewScanner(packages), 0, time.Now()
	for lines.Scan() {
		last = lines.Text()
		n++
		if time.Since(said) > 5*time.Second {
			said = time.Now()
			_, _ = fmt.Fprintf(out, "  %d packages built\n", n)
		}
	}
	return last, lines.Err()
}
