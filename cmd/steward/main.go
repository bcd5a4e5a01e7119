// Command steward is all of Steward in one program: `steward dev` on a developer's machine, `steward
// serve` in production, and the tools around them. It parses; internal/app does.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"steward/internal/launch/process"
)

func main() {
	process.Become() // an MCP server that we start begins as us
	os.Exit(execute())
}

// insistence is when a further signal means more than the first: some senders signal a process and its
// group, which is one wish and two signals.
const insistence = time.Second

// execute runs the command line until it is done or a signal asks it to end; a later signal ends it at once.
func execute() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, func() { time.AfterFunc(insistence, stop) })
	return exitCode(ctx, newRoot())
}
