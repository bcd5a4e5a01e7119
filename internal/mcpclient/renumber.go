package mcpclient

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
)

// numbers makes the request ids of a session that is gone on with others than those of the process that had it before.
// go-sdk counts from 1 in every process. A server may still be at work on a request of the earlier one, and some find
// the way back to a client by the id alone: they would send that one's answer to us, for a call of ours.
type numbers struct{ base int64 }

// newNumbers begins far above what any process counts to, and below what JavaScript takes for exact.
func newNumbers() numbers { return numbers{1<<32 + rand.Int64N(1<<20)<<32} } //nolint:gosec // nobody must guess it, it must only differ

// out renumbers what we send: a request, or the word that one is given up. Answers to the server's requests bear its ids.
func (n numbers) out(body []byte) ([]byte, error) {
	var msg map[string]json.RawMessage
	if err := json.Unmarshal(body, &msg); err != nil {
		return nil, fmt.Errorf("reading our own message: %w", err)
	}
	if msg["method"] == nil {
		return body, nil
	}
	if n.shift(msg, "id", n.base) {
		return encoded(msg)
	}
	var params map[string]json.RawMessage
	if json.Unmarshal(msg["params"], &params) != nil || !n.shift(params, "requestId", n.base) {
		return body, nil //nolint:nilerr // it has no parameters by name: nothing in it is an id
	}
	inner, err := encoded(params)
	if err != nil {
		return nil, err
	}
	msg["params"] = inner
	return encoded(msg)
}

// in gives an answer the id that go-sdk knows its request by. What is no answer to us stays as it is.
func (n numbers) in(body []byte) []byte {
	var msg map[string]json.RawMessage
	if json.Unmarshal(body, &msg) != nil || msg["method"] != nil || !n.shift(msg, "id", -n.base) {
		return body
	}
	out, err := encoded(msg)
	if err != nil {
		return body
	}
	return out
}

func (n numbers) shift(msg map[string]json.RawMessage, field string, by int64) bool {
	id, err := strconv.ParseInt(string(msg[field]), 10, 64)
	if err != nil || by < 0 && (id <= n.base || id > n.base+math.MaxInt32) {
		return false
	}
	msg[field] = strconv.AppendInt(nil, id+by, 10)
	return true
}

func encoded(msg map[string]json.RawMessage) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(msg); err != nil {
		return nil, fmt.Errorf("writing a message: %w", err)
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// answers renumbers what an HTTP answer brings.
func (n numbers) answers(resp *http.Response) error {
	if isStream(resp) {
		lines := bufio.NewScanner(resp.Body)
		lines.Buffer(nil, MaxMessage+len("data: "))
		lines.Split(splitLines())
		resp.Body = &renumbered{Closer: resp.Body, n: n, lines: lines}
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, MaxMessage+1))
	_ = resp.Body.Close()
	if err != nil {
		return err
	}
	body = n.in(body)
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	resp.Header.Del("Content-Length")
	return nil
}

// renumbered is an event stream with the answers renumbered.
type renumbered struct {
	io.Closer
	n     numbers
	lines *bufio.Scanner
	data  [][]byte // of the event so far
	size  int
	left  []byte // to be read
}

// Read implements io.Reader.
func (r *renumbered) Read(p []byte) (int, error) {
	for len(r.left) == 0 {
		if !r.lines.Scan() {
			if r.end(); len(r.left) > 0 { // go-sdk takes a last event without its empty line too
				break
			}
			return 0, r.err()
		}
		line := r.lines.Bytes()
		field, value, _ := bytes.Cut(line, []byte(":"))
		switch {
		case len(line) == 0:
			r.end()
			r.left = append(r.left, '\n')
		case string(field) == "data":
			if r.size += len(value); r.size > MaxMessage {
				return 0, ErrTooLarge
			}
			r.data = append(r.data, bytes.Clone(bytes.TrimPrefix(value, []byte(" "))))
		default:
			r.left = append(append(r.left[:0], line...), '\n')
		}
	}
	n := copy(p, r.left)
	r.left = r.left[n:]
	return n, nil
}

// end writes the data of the event.
func (r *renumbered) end() {
	r.left = r.left[:0]
	if r.data == nil {
		return
	}
	for line := range bytes.SplitSeq(r.n.in(bytes.Join(r.data, []byte("\n"))), []byte("\n")) {
		r.left = append(append(append(r.left, "data: "...), line...), '\n')
	}
	r.data, r.size = nil, 0
}

func (r *renumbered) err() error {
	switch err := r.lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return ErrTooLarge
	case err != nil:
		return err
	}
	return io.EOF
}
