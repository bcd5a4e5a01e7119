package mysql_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// cut is how a connection breaks at one packet of the client's.
type cut string

const (
	neverSent  cut = "before the packet leaves"
	unanswered cut = "after the server has answered, which nobody hears"
	inTransit  cut = "right behind the packet"
)

var errCut = errors.New("cut")

// line breaks connections to a database at a chosen packet, once.
type line struct {
	mu   sync.Mutex
	how  cut
	left int // packets until it breaks; 0: it does not
	went bool
}

// breakAt arms it.
func (l *line) breakAt(packet int, how cut) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.left, l.how, l.went = packet, how, false
}

// broke says whether it broke since it was armed, and disarms it.
func (l *line) broke() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.left = 0
	return l.went
}

func (l *line) now() (cut, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.left == 0 {
		return "", false
	}
	l.left--
	l.went = l.left == 0
	return l.how, l.went
}

func (l *line) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := dial(ctx, network, address)
	return &brittle{conn, l}, err
}

// brittle is a connection of a line. The driver writes each packet at once.
type brittle struct {
	net.Conn
	line *line
}

func (b *brittle) Write(p []byte) (int, error) {
	how, breaks := b.line.now()
	if !breaks {
		return b.Conn.Write(p)
	}
	n := 0
	if how != neverSent {
		n, _ = b.Conn.Write(p)
	}
	if how == unanswered {
		_ = b.SetReadDeadline(time.Now().Add(200 * time.Millisecond)) // some packets have no answer
		_, _ = b.Read(make([]byte, 1<<10))
	}
	_ = b.Close()
	if n == len(p) {
		return n, nil
	}
	return n, errCut
}
