package main

import (
	"bufio"
	"encoding/json"
	"io"
)

// event is one line of `go test -json`: see `go doc test2json` and, for builds, `go help buildjson`.
type event struct {
	Action     string
	Package    string
	ImportPath string // of a build
	Test       string
	Output     string
	Elapsed    float64 // seconds
}

// longestLine bounds one event; a test that prints more in one line has other problems.
const longestLine = 16 << 20

// events parses r until it ends. A line that is no event is passed on as output: it comes from the go
// command itself.
func events(r io.Reader, each func(event)) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, longestLine)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil || e.Action == "" {
			e = event{Action: "stray", Output: lines.Text() + "\n"}
		}
		each(e)
	}
	return lines.Err()
}
