package mysql_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// rogueServer speaks as much of the protocol as it takes to be logged in to, and then asks for what is not its own.
// https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html
type rogueServer struct {
	file   string // asks for this file
	after  int    // so many commands; -1: instead of the answer to the login
	plugin string // asks for the password in this way; "-": as servers before 4.1 did
	refuse string // answers every command with this error: two bytes of a number, lowest first, and #, state and text

	port int
	mu   sync.Mutex
	got  bytes.Buffer
}

func (r *rogueServer) start(t *testing.T) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	r.port = listener.Addr().(*net.TCPAddr).Port
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				r.serve(conn)
			}()
		}
	}()
}

// heard is all that clients have sent.
func (r *rogueServer) heard() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.got.String()
}

var (
	okPacket  = []byte{0, 0, 0, 2, 0, 0, 0}
	eofPacket = []byte{0xfe, 0, 0, 2, 0}
)

func (r *rogueServer) serve(conn net.Conn) {
	greeting := append([]byte{10}, "5.7.44-rogue\x00\x01\x00\x00\x00saltsalt\x00"...)
	// Protocol 4.1, transactions, secure connections, a database, LOAD DATA LOCAL, plugins; no TLS.
	const capabilities = 0x200 | 0x2000 | 0x8000 | 0x8 | 0x80 | 0x1 | 0x80000
	greeting = binary.LittleEndian.AppendUint16(greeting, capabilities&0xffff)
	greeting = append(greeting, 45, 2, 0, capabilities>>16, 0, 21)
	greeting = append(append(greeting, make([]byte, 10)...), "saltsaltsalt\x00mysql_native_password\x00"...)
	if r.send(conn, 0, greeting) != nil {
		return
	}
	sequence, _, err := r.receive(conn)
	if err != nil {
		return
	}
	switch {
	case r.plugin == "-":
		err = r.send(conn, sequence+1, []byte{0xfe})
	case r.plugin != "":
		err = r.send(conn, sequence+1, []byte("\xfe"+r.plugin+"\x00saltsaltsaltsaltsalt\x00"))
	case r.after < 0:
		err = r.send(conn, sequence+1, []byte("\xfb"+r.file))
	default:
		err = r.send(conn, sequence+1, okPacket)
	}
	for commands := 0; err == nil; commands++ {
		var command []byte
		if sequence, command, err = r.receive(conn); err != nil {
			return
		}
		switch {
		case r.file != "" && commands >= r.after:
			err = r.send(conn, sequence+1, []byte("\xfb"+r.file))
		case r.refuse != "":
			err = r.send(conn, sequence+1, []byte("\xff"+r.refuse))
		case bytes.Contains(command, []byte("SHOW GRANTS")):
			column := "\x03def\x00\x00\x00\x01g\x00\x0c\x2d\x00\xff\x00\x00\x00\xfd\x00\x00\x00\x00\x00"
			for i, packet := range [][]byte{{1}, []byte(column), eofPacket, eofPacket} {
				if err = r.send(conn, sequence+1+byte(i), packet); err != nil {
					return
				}
			}
		default:
			err = r.send(conn, sequence+1, okPacket)
		}
	}
}

func (r *rogueServer) send(conn net.Conn, sequence byte, payload []byte) error {
	n := len(payload)
	_, err := conn.Write(append([]byte{byte(n), byte(n >> 8), byte(n >> 16), sequence}, payload...))
	return err
}

func (r *rogueServer) receive(conn net.Conn) (sequence byte, payload []byte, err error) {
	var header [4]byte
	if _, err = io.ReadFull(conn, header[:]); err != nil {
		return 0, nil, err
	}
	payload = make([]byte, int(header[0])|int(header[1])<<8|int(header[2])<<16)
	_, err = io.ReadFull(conn, payload)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got.Write(payload)
	return header[3], payload, err
}
