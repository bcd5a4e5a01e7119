// Command tally reads the events of one or more `go test -json` on standard input, shows each package as it
// ends and the output of what failed, and closes with totals. A skipped test proves nothing and counts as
// failed. It fails when a test failed and when none ran.
package main

import (
	"fmt"
	"os"
	"time"
)

// silence is how long nothing ends before a line says what still runs.
const silence = 30 * time.Second

func main() {
	t := newTally(os.Stdout)
	if err := t.follow(os.Stdin, silence); err != nil {
		fmt.Fprintln(os.Stderr, "tally:", err)
		os.Exit(1)
	}
	if !t.close() {
		os.Exit(1)
	}
}
