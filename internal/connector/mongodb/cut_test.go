package mongodb_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// What happens to a message on its way.
type accident int

const (
	lostRequest accident = iota // it never arrives
	lostAnswer                  // it is carried out, and nobody learns of it
	late                        // it arrives after all, long after the sender has given up
)

var errCut = errors.New("the connection was cut")

// cutter dials connections of which one has an accident: at the nth message with a command.
type cutter struct {
	command string
	nth     int
	what    accident

	mu   sync.Mutex
	seen int
	held func() error // sends what was held back
}

func (c *cutter) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := direct(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &cutConn{Conn: conn, cutter: c}, nil
}

// happens says whether the message is the one.
func (c *cutter) happens(message []byte) bool {
	if !bytes.Contains(message, []byte("\x02"+c.command+"\x00")) { // a text under the name of the command
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen++
	return c.seen == c.nth
}

// arrive lets what was held back reach the server, and waits until it has answered.
func (c *cutter) arrive(t *testing.T) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	require.NotNil(t, c.held, "nothing was held back")
	require.NoError(t, c.held())
}

type cutConn struct {
	net.Conn

	cutter *cutter
	cut    bool // set by Write before the Read that follows it in the same goroutine or after it
	mu     sync.Mutex
}

func (c *cutConn) Write(p []byte) (int, error) {
	if !c.cutter.happens(p) {
		return c.Conn.Write(p)
	}
	c.mu.Lock()
	c.cut = true
	c.mu.Unlock()
	switch c.cutter.what {
	case lostAnswer:
		return c.Conn.Write(p)
	case late:
		message := bytes.Clone(p)
		c.cutter.mu.Lock()
		defer c.cutter.mu.Unlock()
		c.cutter.held = func() error {
			if _, err := c.Conn.Write(message); err != nil {
				return err
			}
			if _, err := c.Conn.Read(make([]byte, 64<<10)); err != nil {
				return err
			}
			return c.Conn.Close()
		}
		return len(p), nil
	}
	return 0, errors.Join(errCut, c.Conn.Close())
}

func (c *cutConn) Read(p []byte) (int, error) {
	c.mu.Lock()
	cut := c.cut
	c.mu.Unlock()
	switch {
	case !cut:
		return c.Conn.Read(p)
	case c.cutter.what == lostAnswer: // it is there: the server has carried it out
		if _, err := c.Conn.Read(p); err != nil {
			return 0, err
		}
	}
	return 0, errCut
}

// Close leaves open what has something to arrive yet.
func (c *cutConn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cut && c.cutter.what == late {
		return nil
	}
	return c.Conn.Close()
}
