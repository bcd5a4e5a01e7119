package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"
)

// report prints figures as they come, a table per subject.
type report struct{ out io.Writer }

// latency is one line: operations of ours and bare ones, in pairs.
type latency struct {
	name       string
	ours, bare sample
}

// throughput is one line: operations a second.
type throughput struct {
	name       string
	ours, bare float64
}

func (r *report) head() error {
	_, err := fmt.Fprintf(r.out, "%s, %d cores, %s/%s, %s\n", time.Now().UTC().Format(time.RFC3339),
		runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
	return err
}

func (r *report) latencies(title string, lines ...latency) error {
	return r.table(title, "operation\tn\tours p50\tp99\tbare p50\tp99\tadded p50\tours/bare", func(w io.Writer) {
		for _, l := range lines {
			ours, bare := l.ours.at(0.5), l.bare.at(0.5)
			_, _ = fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t%.2f\t\n", l.name, len(l.ours), ms(ours), ms(l.ours.at(0.99)),
				ms(bare), ms(l.bare.at(0.99)), ms(ours-bare), float64(ours)/float64(bare))
		}
	})
}

func (r *report) throughputs(title string, lines ...throughput) error {
	return r.table(title, "operation\tours/s\tbare/s\tours/bare", func(w io.Writer) {
		for _, l := range lines {
			_, _ = fmt.Fprintf(w, "%s\t%.0f\t%.0f\t%.2f\t\n", l.name, l.ours, l.bare, l.ours/l.bare)
		}
	})
}

// table aligns what body writes. A tabwriter remembers the first error until Flush.
func (r *report) table(title, head string, body func(io.Writer)) error {
	if _, err := fmt.Fprintf(r.out, "\n%s%s\n", title, load()); err != nil {
		return err
	}
	w := tabwriter.NewWriter(r.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(w, head+"\t")
	body(w)
	return w.Flush()
}

func ms(d time.Duration) string { return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond)) }

// load is the machine's load average, our own work included, where the system tells it.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	return fmt.Sprintf(" (load %s)", strings.Fields(string(text))[0])
}
