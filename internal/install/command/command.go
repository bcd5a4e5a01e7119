// Package command runs the package managers: argv without a shell, an environment that is written out, bounded
// output, and confined as the servers are that they install, for what they read was written by strangers.
package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"steward/internal/launch/process"
)

// Command is one start of a program.
type Command struct {
	Path string
	Args []string
	Env  []string // as "name=value", beside HOME and LANG; of a name given twice the last counts
	Home string   // its HOME and working directory; empty: a temporary one
	Into string   // a folder that was made for it to fill; empty: none
	Read []string // files and folders of the operator's that it needs, beside its own and the system's
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

// Run waits for the program and returns what it wrote to stdout. Any failure but the end of ctx is an *Error. The
// program has a user number of its own where we may give it one, sees its own folders and what is named in c, and
// reaches the network as the operator has set it up: its registry may well be a private one.
func Run(ctx context.Context, c Command) ([]byte, error) {
	out, words := &limited{most: maxOutput}, &tail{most: maxErrors}
	child, err := process.Start(ctx, c.spec(), words)
	if err == nil {
		_ = child.Stdin.Close()
		_, _ = io.Copy(out, child.Stdout) // ends with the child
		err = child.Wait()
		_ = child.Stdout.Close()
		child.WaitForWords(grace)
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err == nil && out.cut {
		err = errors.New("its output is too long")
	}
	if err != nil {
		return nil, &Error{Program: name(c), Output: out.kept, Words: words.String(), Err: err}
	}
	return out.kept, nil
}

func (c Command) spec() process.Spec {
	box := &process.Sandbox{Read: c.Read, Connect: true, Identity: process.Identity{Owner: "(install) " + c.Home}}
	if c.Into != "" {
		box.Made = []string{c.Into}
	}
	return process.Spec{Command: c.Path, Args: c.Args, Env: variables(c.Env), Dir: c.Home, Sandbox: box}
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

// tail keeps the end. What the program says, and how it ended, comes from two sides.
type tail struct {
	mu   sync.Mutex
	kept []byte
	most int
}

// String is what was kept.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.kept))
}

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, p...)
	if over := len(t.kept) - t.most; over > 0 {
		t.kept = append([]byte(nil), t.kept[over:]...)
	}
	return len(p), nil
}
