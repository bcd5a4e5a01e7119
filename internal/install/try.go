package install

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"time"

	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/registry/input"
)

// trial is how long a new version has to start and to list its tools: whoever installs it may be waiting, and a
// program that is read from a slow disk for the first time needs more than a moment.
const trial = 20 * time.Second

// Try starts what was built as it would be started later and asks for its tools.
func (i *Installer) Try(ctx context.Context, h Hold, built automation.PackageBuilt) error {
	row, err := i.reach(ctx, h, "trying")
	if err != nil || row.Runtime == Remote {
		return err
	}
	server, _, err := i.server(row, built)
	if err != nil {
		return err
	}
	if needsAUser(server.EnvSchema) {
		i.log.InfoContext(ctx, "package not tried: only a user's own secrets let it start", "package", row.Name, "server", row.ServerName)
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, trial)
	defer cancel()
	tools, err := i.servers.Try(limited, server, filepath.Join(i.opts.Folder, built.Folder))
	if _, said := errors.AsType[*fault.Error](err); err == nil || said || ctx.Err() != nil {
		if err == nil {
			i.log.InfoContext(ctx, "package answers", "package", row.Name, "version", built.Version, "server", row.ServerName, "tools", len(tools))
		}
		return err
	}
	return fault.Wrap(err, fault.Upstream, "%s %s was installed but does not answer as an MCP server within %d s: it is not used", row.Name, built.Version, int(trial/time.Second))
}

// needsAUser says that the server does not start without what each user stores for it.
func needsAUser(fields []input.Field) bool {
	return slices.ContainsFunc(fields, func(f input.Field) bool { return f.Required && f.Secret })
}
