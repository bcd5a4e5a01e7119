// Package lock keeps two processes from working in one folder.
package lock

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// ErrHeld says that a living process has the lock.
var ErrHeld = errors.New("held by another process")

// Lock is a held lock. The kernel lets go of it when the process ends, however it ends, so a lock file that
// is still there means nothing by itself.
type Lock struct{ file *os.File }

// Acquire takes the lock at path without waiting. When it is taken the error is ErrHeld and names the holder.
func Acquire(path string) (*Lock, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // G304: the caller's own file
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err != nil {
		holder := holderOf(path)
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%w%s", ErrHeld, holder)
		}
		return nil, fmt.Errorf("lock: %w", err)
	}
	if err := errors.Join(f.Truncate(0), writePID(f)); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("lock: %w", err)
	}
	return &Lock{file: f}, nil
}

// Release lets go, once or more. The file stays: removing it would let two processes each lock a file of that name.
func (l *Lock) Release() error {
	if err := l.file.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("release lock: %w", err)
	}
	return nil
}

func writePID(f *os.File) error {
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// holderOf is " (process 123)", or nothing while the holder has not written itself down yet.
func holderOf(path string) string {
	b, err := os.ReadFile(path) //nolint:gosec // G304: the caller's own file
	if err != nil {
		return ""
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return ""
	}
	return fmt.Sprintf(" (process %d)", pid)
}
