package mongodb

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"net"

	"steward/internal/connector"
	"steward/internal/connector/database"
)

// mostMessage bounds what a server may send at once. The largest batch is 16 MiB and a little; the driver believes the
// server's own limit and makes room for a message before the first byte of it is there.
const mostMessage = 20 << 20

// transport is the only way of the driver to the network: also to members that a server has announced. TLS happens
// here and not in the driver, which would ask the host that a certificate names whether it is revoked.
type transport struct {
	dial connector.Dial
	tls  func(host string) *tls.Config // nil: not at all
}

func transportOf(s connector.Settings, t target, dial connector.Dial) transport {
	protect := func(host string) *tls.Config { return database.TLS(s, host) }
	if t.encrypted && database.Mode(s) == database.ModeDisable { // tls=true means more than the checkbox
		protect = func(host string) *tls.Config { return &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12} }
	}
	return transport{dial: dial, tls: protect}
}

// DialContext is the driver's options.ContextDialer.
func (t transport) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if network != "tcp" { // the driver takes a name that ends in .sock for a path
		return nil, fmt.Errorf("dial %s: only tcp is dialled", network)
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	conn, err := t.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	config := t.tls(host)
	if config == nil {
		return &measured{Conn: conn}, nil
	}
	protected := tls.Client(conn, config)
	if err := protected.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return &measured{Conn: protected}, nil
}

// measured ends when a message is larger than any that MongoDB sends. A message begins with its length.
type measured struct {
	net.Conn
	header [4]byte
	seen   int   // bytes of the header
	left   int64 // bytes of the message after it
}

var errMessage = errors.New("the server announced a message of a length that is not taken")

func (m *measured) Read(p []byte) (int, error) {
	n, err := m.Conn.Read(p)
	if bad := m.measure(p[:n]); bad != nil {
		return 0, errors.Join(bad, m.Close())
	}
	return n, err
}

func (m *measured) measure(p []byte) error {
	for len(p) > 0 {
		if m.left > 0 {
			skip := min(m.left, int64(len(p)))
			m.left -= skip
			p = p[skip:]
			continue
		}
		n := copy(m.header[m.seen:], p)
		m.seen += n
		p = p[n:]
		if m.seen < len(m.header) {
			return nil
		}
		length := binary.LittleEndian.Uint32(m.header[:])
		if length < uint32(len(m.header)) || length > mostMessage {
			return errMessage
		}
		m.seen, m.left = 0, int64(length)-int64(len(m.header))
	}
	return nil
}
