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

// play is the life of one child; its result is the exit status.
func play(role string) int {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM) // before READY, which the supervisor takes for "may be stopped"
	switch role {
	case "crash":
		fmt.Fprintln(os.Stderr, "boom")
		return 3
	case "environment":
		fmt.Println(strings.Join(os.Environ(), " "))
		return 0
	case "lifeline":
		fmt.Println("READY")
		_, _ = io.Copy(io.Discard, os.Stdin)
		return 0
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
		fmt.Println("READY")
		<-make(chan struct{})
	case "parent": // leaves a grandchild behind in its group
		cmd := exec.CommandContext(context.Background(), os.Args[0])
		cmd.Env = []string{roleVariable + "=obedient"}
		if err := cmd.Start(); err != nil {
			return 4
		}
		fmt.Println("grandchild", cmd.Process.Pid)
		fmt.Println("READY")
	case "supervisor":
		p, err := process.Start(context.Background(), process.Config{
			Name: "orphan", Path: os.Args[0], Env: []string{roleVariable + "=obedient"}, ReadyLine: "READY",
			Log: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			return 5
		}
		fmt.Println("orphan", p.PID())
		fmt.Println("READY")
	default: // obedient
		fmt.Println("READY")
	}
	select {
	case <-stop:
		fmt.Println("drained")
	case <-time.After(time.Minute): // no test takes that long
	}
	return 0
}
