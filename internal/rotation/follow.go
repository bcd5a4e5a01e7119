package rotation

import (
	"context"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// changes tells when the keys file may have been replaced. It watches the folder: the file of a watch on the
// file is gone after the first replacement.
type changes struct {
	log     *slog.Logger
	file    string
	watcher *fsnotify.Watcher // nil: only the ticks of the caller
	events  <-chan fsnotify.Event
	errors  <-chan error
}

// follow watches the file of those rings that have one; it is the same for all. File systems that do not
// notify, such as NFS, are why the caller ticks besides.
func follow(ctx context.Context, log *slog.Logger, rings []Ring) *changes {
	c := &changes{log: log}
	for _, r := range rings {
		if r.File != "" {
			c.file = r.File
		}
	}
	if c.file == "" {
		return c
	}
	watcher, err := fsnotify.NewWatcher()
	if err == nil {
		if err = watcher.Add(filepath.Dir(c.file)); err == nil {
			c.watcher, c.events, c.errors = watcher, watcher.Events, watcher.Errors
			return c
		}
		_ = watcher.Close() // says the same
	}
	log.WarnContext(ctx, "the keys file is not watched, only looked at every few seconds", "error", err)
	return c
}

// wait returns true when the file may have changed or at a tick, false when ctx ends.
func (c *changes) wait(ctx context.Context, tick <-chan time.Time) bool {
	for {
		select {
		case <-ctx.Done():
			return false
		case <-tick:
			return true
		case err := <-c.errors:
			c.log.DebugContext(ctx, "changes of the keys file may have been lost", "error", err)
			return true
		case event := <-c.events:
			if filepath.Base(event.Name) == filepath.Base(c.file) {
				return true
			}
		}
	}
}

func (c *changes) close() {
	if c.watcher != nil {
		_ = c.watcher.Close() // always nil
	}
}
