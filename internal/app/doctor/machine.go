package doctor

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"steward/internal/config"
)

func settings(_ context.Context, s *subject) Finding {
	if s.err != nil {
		return missing("correct them: the README lists every setting", "%s", s.err)
	}
	return good("readable")
}

func dataFolder(_ context.Context, s *subject) Finding {
	info, err := os.Stat(s.cfg.Data)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return good("%s, not made yet", s.cfg.Data)
	case err != nil:
		return missing("choose another with STEWARD_DATA", "%s cannot be read", s.cfg.Data)
	case !info.IsDir():
		return missing("choose another with STEWARD_DATA", "%s is no folder", s.cfg.Data)
	}
	probe, err := os.CreateTemp(s.cfg.Data, ".doctor-*")
	if err != nil {
		return missing("choose another with STEWARD_DATA", "%s cannot be written", s.cfg.Data)
	}
	if err := errors.Join(probe.Close(), os.Remove(probe.Name())); err != nil {
		return warning("look at the folder", "%s: a probe could not be removed", s.cfg.Data)
	}
	if s.running != nil {
		return good("%s, in use by steward dev, process %d", s.cfg.Data, s.running.PID)
	}
	return good("%s", s.cfg.Data)
}

// enough is what a new installation writes: a cluster, two schemas of Temporal, and the server's build.
const enough = 2 << 30

func disk(_ context.Context, s *subject) Finding {
	dir := s.cfg.Data
	for {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	var stat syscall.Statfs_t
	if err := syscall.Statfs(dir, &stat); err != nil {
		return warning("look with df", "free space is not known")
	}
	free := stat.Bavail * uint64(stat.Bsize) //nolint:gosec // a block size is positive
	if free < enough {
		return warning("make room, or move STEWARD_DATA", "%d MB free, fewer than 2 GB", free>>20)
	}
	return good("%d GB free", free>>30)
}

func keys(_ context.Context, s *subject) Finding {
	path := filepath.Join(s.cfg.Data, config.KeysFile)
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && s.cfg.Keys.Secrets.IsZero():
		return warning("steward dev makes them, as does: steward keys generate", "no keys yet")
	case errors.Is(err, fs.ErrNotExist):
		return good("from the environment")
	case err != nil:
		return missing("look at the file", "%s cannot be read", path)
	case info.Mode().Perm()&0o077 != 0:
		return missing("chmod 600 "+path, "%s is open to others than its owner", path)
	}
	return good("%s, for its owner alone", path)
}

func toolchain(ctx context.Context, _ *subject) Finding {
	out, err := exec.CommandContext(ctx, "go", "env", "GOVERSION").Output()
	if err != nil {
		return warning("install Go from go.dev, or set TEMPORAL_ADDRESS", "no Go: the embedded Temporal server cannot be built here")
	}
	return good("%s", strings.TrimSpace(string(out)))
}

func node(ctx context.Context, _ *subject) Finding {
	out, err := exec.CommandContext(ctx, "node", "--version").Output()
	if err != nil {
		return warning("install Node.js to use MCP servers from npm", "no Node")
	}
	return good("%s", strings.TrimSpace(string(out)))
}

func model(_ context.Context, s *subject) Finding {
	switch {
	case s.cfg.Model.BaseURL != "":
		return good("the endpoint of OPENAI_BASE_URL")
	case !s.cfg.Model.APIKey.IsZero():
		return good("OpenAI")
	}
	return warning("set OPENAI_API_KEY, or OPENAI_BASE_URL for another endpoint",
		"none: steward dev then uses its rule-based development model, steward serve worker does not start")
}
