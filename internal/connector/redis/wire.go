package redis

import (
	"errors"
	"net"
	"strconv"
	"strings"
)

// Limits of one reply as the server sends it. The library believes every length that it reads: one line of a hostile
// server would take all memory.
const (
	mostReply    = 4 << 20 // bytes
	mostElements = 1 << 18
	mostDepth    = 16
	mostHeader   = 24 // bytes of a length
)

var (
	errTooLarge = errors.New("the reply is too large")
	errForeign  = errors.New("the reply is not in Redis's protocol")
)

// bounded is a connection that breaks where a reply goes beyond the limits.
type bounded struct {
	net.Conn
	replies scanner
}

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.Conn.Read(p)
	if bad := b.replies.feed(p[:n]); bad != nil {
		return 0, bad
	}
	return n, err
}

// NetConn lets the library see whether an idle connection has ended meanwhile.
func (b *bounded) NetConn() net.Conn { return b.Conn }

// scanner follows replies in RESP2 as they pass, however they are cut into pieces.
// https://redis.io/docs/latest/develop/reference/protocol-spec/
type scanner struct {
	kind     byte   // of the value whose first line is being read; 0: none is
	header   []byte // that line
	text     int    // bytes of a string still to come, with its line's end
	open     []int  // of each array around it: values still to come
	bytes    int    // of this reply
	elements int
	err      error
}

// feed looks at the next bytes. After an error it takes no more.
func (s *scanner) feed(p []byte) error {
	for len(p) > 0 && s.err == nil {
		n := s.take(p)
		s.bytes += n
		if s.bytes > mostReply {
			s.err = errTooLarge
		}
		p = p[n:]
		if s.text == 0 && s.kind == 0 {
			s.ended()
		}
	}
	return s.err
}

// take goes on by some of p. A value has ended where neither text nor kind is left.
func (s *scanner) take(p []byte) int {
	if s.text > 0 {
		n := min(s.text, len(p))
		s.text -= n
		return n
	}
	if s.kind == 0 {
		if !strings.ContainsRune("+-:$*", rune(p[0])) {
			s.err = errForeign
		}
		s.kind, s.header = p[0], s.header[:0]
		return 1
	}
	for i, c := range p {
		if c == '\n' {
			s.begin()
			return i + 1
		}
		if s.kind != '$' && s.kind != '*' {
			continue
		}
		if s.header = append(s.header, c); len(s.header) > mostHeader {
			s.err = errForeign
			return i + 1
		}
	}
	return len(p)
}

// begin is at the end of a value's first line.
func (s *scanner) begin() {
	kind := s.kind
	s.kind = 0
	if kind == '$' || kind == '*' {
		s.length(kind)
	}
}

func (s *scanner) length(kind byte) {
	digits := len(s.header) - 1
	if digits < 1 || s.header[digits] != '\r' {
		s.err = errForeign
		return
	}
	n, err := strconv.Atoi(string(s.header[:digits]))
	switch {
	case err != nil || n < -1:
		s.err = errForeign
	case n == -1: // null
	case kind == '$' && n > mostReply-s.bytes, kind == '*' && n > mostElements-s.elements:
		s.err = errTooLarge
	case kind == '$':
		s.text = n + len("\r\n")
	case n > 0 && len(s.open) == mostDepth:
		s.err = errTooLarge
	case n > 0:
		s.elements += n
		s.open = append(s.open, n+1) // its own end is counted too
	}
}

// ended is after a value, which may be the last one of arrays around it, and of the reply.
func (s *scanner) ended() {
	for len(s.open) > 0 {
		last := len(s.open) - 1
		s.open[last]--
		if s.open[last] > 0 {
			return
		}
		s.open = s.open[:last]
	}
	s.bytes, s.elements = 0, 0
}
