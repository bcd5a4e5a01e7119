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
	var err error
	if apt, missing := exec.LookPath("apt-get"); missing == nil && os.Getuid() == 0 {
		if err = installWithAPT(ctx, progress, apt, clusterDefaults); err == nil {
			return nil
		}
	}
	if npm, missing := exec.LookPath("npm"); missing == nil {
		failed := installWithNPM(ctx, progress, npm, cacheDir())
		if failed == nil {
			return nil
		}
		err = errors.Join(err, failed)
	}
	return fault.Wrap(err, fault.Unavailable, "PostgreSQL could not be installed; %s", advice(runtime.GOOS)).
		WithCode(CodeMissing)
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
func client(ctx context.Context, progress io.Writer, dir string, env []string, program string, args ...string) error {
	cmd := exec.CommandContext(ctx, program, args...) //nolint:gosec // G204: one of two programs, constant arguments
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, env, progress, progress
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(program), err)
	}
	return nil
}
