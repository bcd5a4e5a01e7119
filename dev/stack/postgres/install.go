package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"steward/internal/fault"
)

// Install brings PostgreSQL onto this machine, so that the next Start finds it: by the system's package manager
// when we are root and it is apt, else by the npm client into a cache of our own. Each client asks the registry it is
// configured for. Progress and the clients' output go to progress. When nothing works the fault says what to type.
func Install(ctx context.Context, progress io.Writer) error {
	var failures []error
	if os.Getuid() == 0 && onPath("apt-get") {
		err := installWithAPT(ctx, progress, clusterDefaults)
		if err == nil {
			return nil
		}
		failures = append(failures, err)
	}
	if onPath("npm") {
		err := installWithNPM(ctx, progress, cacheDir())
		if err == nil {
			return nil
		}
		failures = append(failures, err)
	}
	return fault.Wrap(errors.Join(failures...), fault.Unavailable, "PostgreSQL could not be installed; %s", advice(runtime.GOOS)).
		WithCode(CodeMissing)
}

func onPath(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}

// cacheDir is where Install keeps what npm brought. Root's own cache is out of reach for the user that
// PostgreSQL then runs as.
func cacheDir() string {
	dir, err := os.UserCacheDir()
	if err != nil || os.Getuid() == 0 {
		dir = "/var/cache"
	}
	return filepath.Join(dir, "steward", "postgresql")
}

// client runs an installing program, with its output on progress.
func client(ctx context.Context, progress io.Writer, dir string, env []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // G204: constant programs and arguments
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, env, progress, progress
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
