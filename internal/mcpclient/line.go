package mcpclient

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
)

// lineReader reads newline-delimited JSON-RPC from a child's stdout. Servers print banners, warnings and
// debugging there although the transport forbids it, so whatever is no message goes to noise.
type lineReader struct {
	in    *bufio.Reader
	noise *ring
	queue []jsonrpc.Message // the rest of a batch (2025-03-26)
}

func newLineReader(r io.Reader, noise *ring) *lineReader {
	return &lineReader{in: bufio.NewReaderSize(r, 64<<10), noise: noise}
}

// next returns the next message, ErrTooLarge for a line over MaxMessage, errUnclear for a message that says something
// twice, or the error of the reader.
func (r *lineReader) next() (jsonrpc.Message, error) {
	for len(r.queue) == 0 {
		line, err := r.line()
		if err != nil {
			return nil, err
		}
		r.queue = messages(line)
		switch {
		case r.queue != nil && repeats(line):
			return nil, errUnclear
		case r.queue == nil && len(bytes.TrimSpace(line)) > 0:
			_, _ = r.noise.Write(append([]byte("stdout: "), line...))
		}
	}
	msg := r.queue[0]
	r.queue = r.queue[1:]
	return msg, nil
}

func (r *lineReader) line() ([]byte, error) {
	var line []byte
	for {
		part, err := r.in.ReadSlice('\n')
		if len(line)+len(part) > MaxMessage+1 {
			return nil, ErrTooLarge
		}
		line = append(line, part...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			if err != nil && len(line) > 0 { // what a dying child said last is no message
				_, _ = r.noise.Write(append(line, '\n'))
			}
			return line, err
		}
	}
}

// messages returns the messages of a line, nil if it is none.
func messages(line []byte) []jsonrpc.Message {
	line = bytes.TrimSpace(line)
	if len(line) == 0 {
		return nil
	}
	switch line[0] {
	case '{':
		if msg, err := jsonrpc.DecodeMessage(line); err == nil {
			return []jsonrpc.Message{msg}
		}
	case '[':
		var batch []json.RawMessage
		if json.Unmarshal(line, &batch) != nil {
			return nil
		}
		var msgs []jsonrpc.Message
		for _, raw := range batch {
			msg, err := jsonrpc.DecodeMessage(raw)
			if err != nil {
				return nil
			}
			msgs = append(msgs, msg)
		}
		return msgs
	}
	return nil
}
