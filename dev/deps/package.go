package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// programs names the Debian packages of each program that must be on PATH.
var programs = []struct{ program, packages string }{
	{"cc", "gcc libc6-dev"},  // of the race detector
	{"chromium", "chromium"}, // looks at the Temporal Web UI
	{"curl", "curl"},         // the documented calls are made as they are documented
	{"mariadbd", "mariadb-server"},
	{"node", "nodejs"},
	{"npm", "npm"},
	{"python3", "python3 python3-venv"},
	{"redis-server", "redis-server"},
}

// missing lists the packages of the programs that are not on PATH.
func missing() []string {
	var packages []string
	for _, p := range programs {
		if _, err := exec.LookPath(p.program); err != nil {
			packages = append(packages, strings.Fields(p.packages)...)
		}
	}
	return packages
}

func packagesMet(context.Context) (bool, error) { return len(missing()) == 0, nil }

func bringPackages(ctx context.Context) error {
	names := missing()
	if _, err := exec.LookPath("apt-get"); err != nil || os.Getuid() != 0 {
		return fmt.Errorf("type: sudo apt-get install %s (or what your system calls them)", strings.Join(names, " "))
	}
	// An index that cannot be refreshed may still be good enough.
	if err := command(ctx, "", "apt-get", "update", "--quiet"); err != nil {
		fmt.Fprintln(os.Stderr, "deps:", err)
	}
	return command(ctx, "", "apt-get", append([]string{"install", "--quiet", "--yes", "--no-install-recommends"}, names...)...)
}

// command runs an installing program with all that it says on standard error.
func command(ctx context.Context, dir, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // G204: constant programs
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, os.Stderr, os.Stderr
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
