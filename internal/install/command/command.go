// Package command runs the package managers: argv without a shell, an environment that is written out, bounded
// output, and a process group that ends with the context.
package command

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Command is one start of a program.
type Command struct {
	Path string
	Args []string
	Env  []string // all of it, as "name=value"
	Dir  string
}

const (
	maxOutput = 16 << 20 // npm's word on a package with thousands of releases has 5 MiB
	maxErrors = 8 << 10  // what a log shows
	grace     = 5 * time.Second
)

// Error is a program that did not end well.
type Error struct {
	Program string
	Output  []byte // of a program that answers in JSON also when it fails
	Words   string // the end of its stderr, for the log: it may hold addresses and paths
	Err     error
}

// Error is for the log.
func (e *Error) Error() string { return fmt.Sprintf("%s: %v: %s", e.Program, e.Err, e.Words) }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Run waits for the program and returns what it wrote to stdout. Any failure but the end of ctx is an *Error.
func Run(ctx context.Context, c Command) ([]byte, error) {
	out, words := &limited{most: maxOutput}, &tail{most: maxErrors}
	cmd := exec.CommandContext(ctx, c.Path, c.Args...) //nolint:gosec // a package manager that the operator has named
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = c.Env, c.Dir, out, words
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = grace
	err := cmd.Run()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err == nil && out.cut {
		err = errors.New("its output is too long")
	}
	if err != nil {
		return nil, &Error{Program: name(c), Output: out.kept, Words: strings.TrimSpace(string(words.kept)), Err: err}
	}
	return out.kept, nil
}

// name says what ran without saying with what: arguments may be long.
func name(c Command) string {
	parts := append([]string{c.Path}, c.Args[:min(1, len(c.Args))]...)
	return strings.Join(parts, " ")
}

// limited keeps the beginning.
type limited struct {
	kept []byte
	most int
	cut  bool
}

// Write implements io.Writer and takes everything, so that the program is not held up.
func (l *limited) Write(p []byte) (int, error) {
	room := min(len(p), l.most-len(l.kept))
	l.kept = append(l.kept, p[:room]...)
	l.cut = l.cut || room < len(p)
	return len(p), nil
}

// tail keeps the end.
type tail struct {
	kept []byte
	most int
}

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	if over := len(t.kept) - t.most; over > 0 {
		t.kept = append([]byte(nil), t.kept[over:]...)
	}
	return len(p), nil
}
