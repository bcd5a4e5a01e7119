package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"steward/internal/fault"
	"steward/internal/secret"
)

// Exit codes. 78 is EX_CONFIG of sysexits.h: a supervisor need not try again.
const (
	exitFailed   = 1
	exitUsage    = 2
	exitWaiting  = 3
	exitSettings = 78
)

// exit is an error that carries its own code and has been told already.
type exit int

// Error says the code.
func (e exit) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// exitCode runs root and tells a failure on standard error.
func exitCode(ctx context.Context, root *cobra.Command) int {
	began := false
	eachRun(root, func() { began = true })
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	if code, ok := errors.AsType[exit](err); ok {
		return int(code)
	}
	fmt.Fprintln(os.Stderr, "steward: "+secret.NewRedactor().Text(err.Error()))
	switch {
	case !began:
		return exitUsage
	case fault.CodeOf(err) == "invalid_settings":
		return exitSettings
	}
	return exitFailed
}

// eachRun calls fn before any command of the tree begins, which is after cobra has found nothing wrong with
// the command line. Its own hooks come before it looks at required flags.
func eachRun(cmd *cobra.Command, fn func()) {
	if run := cmd.RunE; run != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			fn()
			return run(cmd, args)
		}
	}
	for _, child := range cmd.Commands() {
		eachRun(child, fn)
	}
}
