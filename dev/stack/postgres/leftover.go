package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// leftoverLimit bounds the wait for a server whose supervisor was killed: it may still write its checkpoint.
const leftoverLimit = 30 * time.Second

// stopLeftover ends a server that still runs on data although its supervisor is dead (the caller holds the
// folder's lock, so there is no other), and waits until it is gone. The pid in postmaster.pid may by now be
// that of a stranger, so the process is recognised by its command line.
func stopLeftover(ctx context.Context, data string) error {
	file := filepath.Join(data, "postmaster.pid")
	content, err := os.ReadFile(file) //nolint:gosec // G304: inside the cluster's folder
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return fmt.Errorf("stop a leftover server: %w", err)
	}
	pid, ok := pidIn(content)
	if !ok || !isServer(ctx, pid, data) {
		// PostgreSQL itself would refuse to start when any process of its user has that pid.
		return os.Remove(file)
	}
	_ = syscall.Kill(pid, syscall.SIGINT) // it may have ended since
	ctx, cancel := context.WithTimeout(ctx, leftoverLimit)
	defer cancel()
	for isServer(ctx, pid, data) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("stop a leftover server: process %d goes on: %w", pid, ctx.Err())
		case <-time.After(10 * time.Millisecond):
		}
	}
	return nil
}

// pidIn reads the first line of a postmaster.pid.
func pidIn(content []byte) (int, bool) {
	line, _, _ := bytes.Cut(content, []byte("\n"))
	pid, err := strconv.Atoi(string(bytes.TrimSpace(line)))
	return pid, err == nil && pid > 1
}

// isServer reports whether pid is a PostgreSQL on data. A zombie has no command line and so is none.
func isServer(ctx context.Context, pid int, data string) bool {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil { // no /proc on macOS, or no such process
		line, _ = exec.CommandContext(ctx, "ps", "-o", "command=", "-p", strconv.Itoa(pid)).Output() //nolint:gosec // G204: a number
	}
	line = bytes.ReplaceAll(line, []byte{0}, []byte(" "))
	return bytes.Contains(line, []byte("postgres")) && bytes.Contains(append(line, ' '), []byte("-D "+data+" "))
}
