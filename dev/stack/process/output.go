package process

import (
	"bytes"
	"io"
	"log/slog"
	"os"
	"sync"
)

// longestLine is where a line without end is cut, in bytes.
const longestLine = 64 << 10

// output takes what one child prints: it goes to the log file as it is, and line by line to the logger and
// to the search for the ready line.
type output struct {
	file    *os.File
	forward *slog.Logger // nil unless Config.Forward
	name    string
	want    string
	said    chan struct{}

	mu   sync.Mutex
	rest []byte // a line whose end has not come yet
}

func newOutput(cfg Config, file *os.File) *output {
	o := &output{file: file, name: cfg.Name, want: cfg.ReadyLine, said: make(chan struct{})}
	if cfg.Forward {
		o.forward = cfg.Log
	}
	return o
}

// writer is the file itself when nobody wants lines: then the child writes to it without our help.
func (o *output) writer() io.Writer {
	if o.forward == nil && o.want == "" {
		return o.file
	}
	return o
}

// Write implements io.Writer. A log file that cannot be written must not stop the child, so errors are dropped.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, _ = o.file.Write(p)
	o.rest = append(o.rest, p...)
	for {
		line, rest, whole := bytes.Cut(o.rest, []byte("\n"))
		if !whole && len(line) < longestLine {
			return len(p), nil
		}
		o.rest = rest
		o.line(string(bytes.TrimSuffix(line, []byte("\r"))))
	}
}

func (o *output) line(s string) {
	if o.want != "" && s == o.want {
		o.want = ""
		close(o.said)
	}
	if o.forward != nil {
		o.forward.Info(s, "process", o.name)
	}
}
