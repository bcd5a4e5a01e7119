package npm

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Install puts one exact version and what it needs into folder, which exists and is empty. What is resolved by
// itself was published before the given time. Nothing of the package runs.
func (t *Tool) Install(ctx context.Context, folder, home, name, version string, before time.Time) error {
	manifest := filepath.Join(folder, "package.json")
	if err := os.WriteFile(manifest, []byte(`{"name":"mcp-server","private":true}`+"\n"), 0o644); err != nil { //nolint:gosec // G306: the server reads it as somebody else
		return fmt.Errorf("write package.json: %w", err)
	}
	_, err := t.run(ctx, folder, home, "install", name+"@"+version,
		"--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund", "--omit=dev", "--save-exact", "--package-lock",
		"--before", before.UTC().Format(time.RFC3339),
		// A git dependency is built, which runs what it likes. npm that is too old to know this refuses nothing; then
		// Inspect does.
		"--allow-git=none", "--allow-file=none", "--allow-directory=none")
	if err != nil {
		return fmt.Errorf("install npm package: %w", err)
	}
	return nil
}
