package process

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
)

const (
	largestLog = 10 << 20 // bytes; a larger file is set aside at the next start
	tailSize   = 2 << 10  // bytes of the log that an error shows
)

// openLog opens the log for appending. One old file of any size is kept, as path.1, so a child that starts
// over and over cannot fill the disk.
func openLog(path string) (*os.File, error) {
	if path == "" {
		return os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	if info, err := os.Stat(path); err == nil && info.Size() > largestLog {
		if err := os.Rename(path, path+".1"); err != nil {
			return nil, err
		}
	}
	return os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600) //nolint:gosec // G304: the caller's own log
}

// tail is the end of the log for an error message, or nothing.
func tail(path string) string {
	f, err := os.Open(path) //nolint:gosec // G304: the caller's own log
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err == nil && info.Size() > tailSize {
		_, _ = f.Seek(-tailSize, io.SeekEnd)
	}
	text, _ := io.ReadAll(f)
	if text = bytes.TrimSpace(text); len(text) == 0 {
		return ""
	}
	return "\n" + string(text)
}
