package mcpclient

import (
	"bytes"
	"iter"
)

// events yields the data of each event of a text/event-stream body, as the HTML standard ("interpreting an
// event stream") reads it: LF, CRLF or CR end a line, an empty line ends an event, several data lines are
// joined by LF. Unlike the standard it yields a last event without its empty line too, as go-sdk does.
func events(body []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		var data [][]byte
		for len(body) > 0 {
			var line []byte
			line, body = cutLine(body)
			if len(line) == 0 {
				if data != nil && !yield(bytes.Join(data, []byte("\n"))) {
					return
				}
				data = nil
				continue
			}
			if value, ok := bytes.CutPrefix(line, []byte("data:")); ok {
				data = append(data, bytes.TrimPrefix(value, []byte(" ")))
			}
		}
		if data != nil {
			yield(bytes.Join(data, []byte("\n")))
		}
	}
}

func cutLine(b []byte) (line, rest []byte) {
	i := bytes.IndexAny(b, "\r\n")
	if i < 0 {
		return b, nil
	}
	if b[i] == '\r' && i+1 < len(b) && b[i+1] == '\n' {
		return b[:i], b[i+2:]
	}
	return b[:i], b[i+1:]
}
