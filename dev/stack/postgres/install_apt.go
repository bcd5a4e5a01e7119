package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"steward/dev/stack/process"
)

// clusterDefaults is the folder where Debian's postgresql-common looks for settings.
const clusterDefaults = "/etc/postgresql-common/createcluster.d"

// installWithAPT installs Debian's package, which would also make and start a cluster on port 5432: a setting in
// defaults that is there only while it is installed prevents that.
func installWithAPT(ctx context.Context, progress io.Writer, apt, defaults string) (err error) {
	if err := os.MkdirAll(defaults, 0o755); err != nil { //nolint:gosec // G301: a folder of /etc
		return fmt.Errorf("install with apt: %w", err)
	}
	setting := filepath.Join(defaults, "steward.conf")
	if err := os.WriteFile(setting, []byte("create_main_cluster = false\n"), 0o644); err != nil { //nolint:gosec // G306: a file of /etc
		return fmt.Errorf("install with apt: %w", err)
	}
	defer func() { err = errors.Join(err, os.Remove(setting)) }()
	env := append(process.Inherit("PATH", "HOME", "http_proxy", "https_proxy", "no_proxy"), "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8")
	// An index that cannot be refreshed may still be good enough.
	if err := client(ctx, progress, "/", env, apt, "update", "--quiet"); err != nil {
		_, _ = fmt.Fprintln(progress, err)
	}
	return client(ctx, progress, "/", env, apt, "install", "--quiet", "--yes", "--no-install-recommends", "postgresql")
}
