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
	root.PersistentPreRun = func(*cobra.Command, []string) { began = true }
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
