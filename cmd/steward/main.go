// Command steward is all of Steward in one program: `steward dev` on a developer's machine, `steward
// serve` in production, and the tools around them. It parses; internal/app does.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() { os.Exit(execute()) }

// execute runs the command line until it is done or a signal ends it; a second signal ends it at once.
func execute() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return exitCode(ctx, newRoot())
}
