package process_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"steward/dev/stack/process"
)

// The test binary plays the children: this variable says which.
const roleVariable = "STEWARD_TEST_CHILD"

func TestMain(m *testing.M) {
	role := os.Getenv(roleVariable)
	if role == "" {
		goleak.VerifyTestMain(m)
		return
	}
	os.Exit(play(role))
}

// say prints a line to the supervisor.
func say(words ...any) { _, _ = fmt.Fprintln(os.Stdout, words...) }

// play is the life of one child; its result is the exit status.
func play(role string) int {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM) // before READY, which the supervisor takes for "may be stopped"
	switch role {
	case "crash":
		fmt.Fprintln(os.Stderr, "boom")
		return 3
	case "environment":
		say(strings.Join(os.Environ(), " "))
		return 0
	case "lifeline":
		signal.Reset(syscall.SIGTERM)
		say("READY")
		_, _ = io.Copy(io.Discard, os.Stdin)
		return 0
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
		say("READY")
		<-make(chan struct{})
	case "parent": // leaves a grandchild behind in its group
		cmd := exec.CommandContext(context.Background(), os.Args[0])
		cmd.Env = []string{roleVariable + "=obedient"}
		if err := cmd.Start(); err != nil {
			return 4
		}
		say("grandchild", cmd.Process.Pid)
		say("READY")
	case "supervisor":
		p, err := process.Start(context.Background(), process.Config{
			Name: "orphan", Path: os.Args[0], Env: []string{roleVariable + "=obedient"}, ReadyLine: "READY",
			Log: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			return 5
		}
		say("orphan", p.PID())
		say("READY")
	default: // obedient
		say("READY")
	}
	select {
	case <-stop:
		say("drained")
	case <-time.After(time.Minute): // no test takes that long
	}
	return 0
}
