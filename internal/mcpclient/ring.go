package mcpclient

import (
	"bytes"
	"strings"
	"sync"
	"unicode"
)

// What a ring keeps. A chatty child may write for weeks.
const (
	ringLines = 64
	ringBytes = 16 << 10
	lineBytes = 1 << 10 // longer lines are cut
)

// ring keeps the last lines a child wrote to stderr, and to stdout when they were not messages. As an
// io.Writer it splits what it gets into lines.
type ring struct {
	mu    sync.Mutex
	lines []string
	size  int
	open  []byte // a line whose end has not come yet
}

// Write never fails.
func (r *ring) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := len(p)
	for {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			break
		}
		r.add(append(r.open, p[:i]...))
		r.open, p = r.open[:0], p[i+1:]
	}
	if room := lineBytes - len(r.open); room > 0 {
		r.open = append(r.open, p[:min(room, len(p))]...)
	}
	return n, nil
}

// tail returns the lines, oldest first.
func (r *ring) tail() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	lines := append([]string(nil), r.lines...)
	if s := clean(r.open); s != "" {
		lines = append(lines, s)
	}
	return lines
}

func (r *ring) add(line []byte) {
	s := clean(line)
	if s == "" {
		return
	}
	r.lines, r.size = append(r.lines, s), r.size+len(s)
	for len(r.lines) > ringLines || r.size > ringBytes {
		r.size -= len(r.lines[0])
		r.lines = r.lines[1:]
	}
}

// clean makes a line fit for a terminal and a web page: no escape sequences, nothing that hides or
// reverses text.
func clean(line []byte) string {
	line = line[:min(len(line), lineBytes)]
	s := strings.Map(func(c rune) rune {
		if c == '\t' {
			return ' '
		}
		if !unicode.IsPrint(c) || c == unicode.ReplacementChar {
			return -1
		}
		return c
	}, string(line))
	return strings.TrimSpace(s)
}
