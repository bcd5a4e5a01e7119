package mcpclient

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// event is one of a text/event-stream.
type event struct {
	name string // empty means "message"
	data []byte
}

// eventReader reads a text/event-stream as the HTML standard ("interpreting an event stream") does: LF, CRLF or CR
// end a line, an empty line ends an event, several data lines are joined by LF. Unlike the standard it takes a last
// event without its empty line too, as go-sdk does.
type eventReader struct{ lines *bufio.Scanner }

func newEventReader(r io.Reader) *eventReader {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, MaxMessage+len("data: "))
	lines.Split(splitLines())
	return &eventReader{lines}
}

// next returns the next event that has data. It returns io.EOF after the last one, ErrTooLarge for one over
// MaxMessage, or the error of the reader.
func (r *eventReader) next() (event, error) {
	var name string
	var data [][]byte
	size := 0
	for r.lines.Scan() {
		line := r.lines.Bytes()
		if len(line) == 0 {
			if data != nil {
				return event{name, bytes.Join(data, []byte("\n"))}, nil
			}
			name = ""
			continue
		}
		field, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(field) {
		case "event":
			name = string(value)
		case "data":
			if size += len(value); size > MaxMessage {
				return event{}, ErrTooLarge
			}
			data = append(data, bytes.Clone(value))
		}
	}
	switch err := r.lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return event{}, ErrTooLarge
	case err != nil:
		return event{}, err
	case data != nil:
		return event{name, bytes.Join(data, []byte("\n"))}, nil
	}
	return event{}, io.EOF
}

// splitLines splits at LF, CRLF and CR. A CR ends its line at once: waiting for what follows could take for ever.
func splitLines() bufio.SplitFunc {
	var afterCR bool
	return func(data []byte, atEOF bool) (int, []byte, error) {
		start := 0
		if afterCR && len(data) > 0 {
			afterCR = false
			if data[0] == '\n' {
				start = 1
			}
		}
		end := bytes.IndexAny(data[start:], "\r\n")
		if end < 0 {
			if atEOF && len(data) > start {
				return len(data), data[start:], nil
			}
			return start, nil, nil
		}
		end += start
		afterCR = data[end] == '\r'
		return end + 1, data[start:end], nil
	}
}
