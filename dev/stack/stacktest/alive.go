// Package stacktest is what tests that start, kill and look for processes of the stack share.
package stacktest

import (
	"fmt"
	"os"
	"strings"
	"syscall"
)

// Alive reports whether process pid runs. A zombie does not: an orphan waits for its new parent to reap it,
// which some containers never do.
func Alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil { // no such process, or no /proc
		return syscall.Kill(pid, 0) == nil
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z") && !strings.HasPrefix(rest, "X")
}
