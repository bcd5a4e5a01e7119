package mysql

import (
	"errors"
	"net"
	"syscall"
)

// mostReceived bounds what one session may receive, which serves one call. An answer holds a megabyte; a row beyond it
// comes in one piece, and a server can make one of a gigabyte.
const mostReceived = 16 << 20

var errTooMuch = errors.New("the server sent more than a session may receive")

// bounded is a connection that breaks beyond mostReceived.
type bounded struct {
	net.Conn
	room int
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.room <= 0 {
		return 0, errTooMuch
	}
	n, err := b.Conn.Read(p)
	b.room -= n
	return n, err
}

// SyscallConn implements syscall.Conn: by it the driver finds out whether a session that waited is still there.
func (b *bounded) SyscallConn() (syscall.RawConn, error) {
	if raw, ok := b.Conn.(syscall.Conn); ok {
		return raw.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}
