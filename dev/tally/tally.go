package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// tally is what is known so far.
type tally struct {
	out            io.Writer
	passed, failed int
	running        map[string]*progress // by package
	builds         map[string]string    // output by package
}

// progress is one package that has begun.
type progress struct {
	passed, failed, skipped int
	output                  map[string]*strings.Builder // by test; "" is the package's own
}

func newTally(out io.Writer) *tally {
	return &tally{out: out, running: map[string]*progress{}, builds: map[string]string{}}
}

// follow counts until r ends, and says what still runs whenever nothing was heard for that long.
func (t *tally) follow(r io.Reader, silence time.Duration) error {
	heard, done := make(chan event), make(chan error, 1)
	go func() {
		done <- events(r, func(e event) { heard <- e })
		close(heard)
	}()
	quiet := time.NewTimer(silence)
	defer quiet.Stop()
	for {
		select {
		case e, more := <-heard:
			if !more {
				return <-done
			}
			if t.take(e) {
				quiet.Reset(silence)
			}
		case <-quiet.C:
			if names := slices.Sorted(maps.Keys(t.running)); len(names) > 0 {
				t.say("…    still running: %s\n", strings.Join(names, ", "))
			}
			quiet.Reset(silence)
		}
	}
}

// take counts one event and reports whether it put something on the screen.
func (t *tally) take(e event) bool {
	switch {
	case e.Action == "stray":
		t.say("%s", e.Output)
		return true
	case e.Action == "build-output":
		t.builds[e.ImportPath] += e.Output
	case e.Package == "":
	case e.Action == "output":
		t.at(e.Package).write(e.Test, e.Output)
	case e.Action == "start" || e.Action == "run":
		t.at(e.Package)
	case e.Test != "":
		t.count(e)
	case e.Action == "pass" || e.Action == "fail" || e.Action == "skip":
		t.end(e)
		return true
	}
	return false
}

func (t *tally) at(name string) *progress {
	p := t.running[name]
	if p == nil {
		p = &progress{output: map[string]*strings.Builder{}}
		t.running[name] = p
	}
	return p
}

func (p *progress) write(test, text string) {
	if p.output[test] == nil {
		p.output[test] = &strings.Builder{}
	}
	p.output[test].WriteString(text)
}

// count takes the end of a test or subtest. The output of one that passed is of no more interest.
func (t *tally) count(e event) {
	p := t.at(e.Package)
	switch e.Action {
	case "pass":
		p.passed++
		delete(p.output, e.Test)
	case "fail":
		p.failed++
	case "skip":
		p.skipped++
	}
}

// end takes the end of a package. One that fails without a failed test (it did not build, it crashed) is a
// failure of its own.
func (t *tally) end(e event) {
	p := t.at(e.Package)
	delete(t.running, e.Package)
	if e.Action == "fail" && p.failed == 0 {
		p.failed = 1
	}
	t.passed, t.failed = t.passed+p.passed, t.failed+p.failed+p.skipped
	switch {
	case e.Action == "fail" || p.skipped > 0:
		for _, name := range slices.Sorted(maps.Keys(t.builds)) {
			t.say("%s", t.builds[name])
		}
		clear(t.builds)
		for _, test := range slices.Sorted(maps.Keys(p.output)) {
			t.say("%s", p.output[test])
		}
		t.say("FAIL %s  %d passed, %d failed, %d skipped  %.1fs\n", e.Package, p.passed, p.failed, p.skipped, e.Elapsed)
	case e.Action == "pass":
		t.say("ok   %s  %d passed  %.1fs\n", e.Package, p.passed, e.Elapsed)
	}
}

// close prints the totals and reports whether they are good.
func (t *tally) close() bool {
	for _, name := range slices.Sorted(maps.Keys(t.running)) { // the go command was cut off
		t.end(event{Action: "fail", Package: name})
	}
	t.say("%d passed, %d failed\n", t.passed, t.failed)
	return t.passed > 0 && t.failed == 0
}

func (t *tally) say(format string, args ...any) {
	_, _ = fmt.Fprintf(t.out, format, args...) // a lost screen must not end the count
}
