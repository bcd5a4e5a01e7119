package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"steward/dev/stack/lock"
)

// temporaryPrefix begins the name of every temporary cluster's folder.
const temporaryPrefix = "steward-postgres-"

// throwaway trades durability, which a test never needs, for speed and memory.
func throwaway() map[string]string {
	return map[string]string{
		"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off",
		"wal_level": "minimal", "max_wal_senders": "0", "autovacuum": "off",
		"shared_buffers": "16MB", "max_connections": "200",
	}
}

// Temporary is a fresh, fast and forgetful cluster for the tests of one process: TestMain starts it, and Stop
// removes it. When the process is killed the server dies with it, and the next Temporary removes the files.
func Temporary(ctx context.Context, log *slog.Logger) (*TemporaryServer, error) {
	removeAbandoned(ctx, os.TempDir())
	dir, err := os.MkdirTemp("", temporaryPrefix)
	if err != nil {
		return nil, fmt.Errorf("start a temporary PostgreSQL: %w", err)
	}
	s, err := Start(ctx, Config{Dir: dir, Settings: throwaway(), Log: log})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return &TemporaryServer{Server: s, dir: dir}, nil
}

// TemporaryServer is a Server whose Stop removes its cluster.
type TemporaryServer struct {
	*Server
	dir string
}

// Stop ends the server and removes its files.
func (t *TemporaryServer) Stop(ctx context.Context) error {
	return errors.Join(t.Server.Stop(ctx), os.RemoveAll(t.dir))
}

// removeAbandoned removes the temporary clusters in dir that no living process holds. What cannot be removed,
// such as another user's, stays.
func removeAbandoned(ctx context.Context, dir string) {
	matches, err := filepath.Glob(filepath.Join(dir, temporaryPrefix+"*"))
	if err != nil {
		return // only a malformed pattern, such as a folder with a bracket in its name
	}
	for _, match := range matches {
		file := filepath.Join(match, "lock")
		if _, err := os.Stat(file); err != nil {
			continue // another process is just making it
		}
		held, err := lock.Acquire(file)
		if err != nil {
			continue
		}
		if stopLeftover(ctx, filepath.Join(match, "data")) == nil {
			_ = os.RemoveAll(match)
		}
		_ = held.Release()
	}
}
