package egress

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/egress/egresstest"
)

// names is a name server that answers every name with the same addresses, until they change.
type names struct {
	mu    sync.Mutex
	addrs []netip.Addr
	conn  net.PacketConn
}

func newNames(t *testing.T) *names {
	t.Helper()
	var config net.ListenConfig
	conn, err := config.ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	n := &names{conn: conn}
	go n.serve()
	return n
}

func (n *names) mean(addrs ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.addrs = nil
	for _, a := range addrs {
		n.addrs = append(n.addrs, netip.MustParseAddr(a))
	}
}

func (n *names) serve() {
	buf := make([]byte, 1500)
	for {
		size, from, err := n.conn.ReadFrom(buf)
		if err != nil {
			return
		}
		_, _ = n.conn.WriteTo(n.answer(buf[:size]), from)
	}
}

// answer is a response to a question with one name (RFC 1035 §4.1).
func (n *names) answer(question []byte) []byte {
	const header, pointer, typeA, typeAAAA = 12, 0xc00c, 1, 28
	end := header
	for question[end] != 0 {
		end += int(question[end]) + 1
	}
	end += 5
	asked := binary.BigEndian.Uint16(question[end-4:])
	n.mu.Lock()
	defer n.mu.Unlock()
	out := append([]byte{question[0], question[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, question[header:end]...)
	for _, a := range n.addrs {
		if a.Is4() != (asked == typeA) || a.Is6() != (asked == typeAAAA) {
			continue
		}
		out[7]++
		out = binary.BigEndian.AppendUint16(out, pointer)
		out = binary.BigEndian.AppendUint16(out, asked)
		out = append(out, 0, 1, 0, 0, 0, 0) // IN, not to be kept
		out = binary.BigEndian.AppendUint16(out, uint16(a.BitLen()/8))
		out = append(out, a.AsSlice()...)
	}
	return out
}

// exit is one that asks this name server.
func (n *names) exit(allow ...netip.Prefix) *Exit {
	x := NewExit(allow...)
	x.dialer.Resolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", n.conn.LocalAddr().String())
	}}
	return x
}

func (x *Exit) get(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := x.client.Do(req)
	if err != nil {
		return err
	}
	return res.Body.Close()
}

// T-07: a name that is public when it is looked at and private when it is dialled. What counts is what is dialled.
func TestT07NameThatMovesBetweenCheckAndUse(t *testing.T) {
	t.Parallel()
	names, canary := newNames(t), egresstest.NewCanary(t, "127.0.0.1")
	exit := names.exit()
	port := strconv.Itoa(int(canary.Addr.Port()))
	for range 200 {
		names.mean("93.184.215.14")
		seen, err := exit.dialer.Resolver.LookupNetIP(t.Context(), "ip", "rebind.example.com")
		require.NoError(t, err)
		require.True(t, exit.Reaches(netip.AddrPortFrom(seen[0], canary.Addr.Port())), "whoever looks now finds it public")
		names.mean("127.0.0.1")
		_, err = exit.Dial(t.Context(), "tcp", "rebind.example.com:"+port)
		require.ErrorIs(t, err, ErrDenied)
		require.ErrorIs(t, exit.get(t.Context(), "http://rebind.example.com:"+port+"/"), ErrDenied)
	}
	require.Zero(t, canary.Connects())
}

// A name that stands for several addresses at once leads to the allowed ones alone.
func TestT07NameWithSeveralAddresses(t *testing.T) {
	t.Parallel()
	names, canary := newNames(t), egresstest.NewCanary(t, "127.0.0.1")
	port := strconv.Itoa(int(canary.Addr.Port()))
	open, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.2:"+port)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, open.Close()) })
	exit := names.exit(netip.MustParsePrefix("127.0.0.2/32"))
	names.mean("127.0.0.1", "::1", "127.0.0.2", "10.0.0.1")
	conn, err := exit.Dial(t.Context(), "tcp", "several.example.com:"+port)
	require.NoError(t, err)
	require.Equal(t, "127.0.0.2:"+port, conn.RemoteAddr().String())
	require.NoError(t, conn.Close())
	require.Zero(t, canary.Connects())
}

// Every spelling that some resolver, or some library, takes for this machine. The name server here plays the resolver
// that does so.
func TestT06OddSpellings(t *testing.T) {
	t.Parallel()
	names, canary := newNames(t), egresstest.NewCanary(t, "127.0.0.1")
	names.mean("127.0.0.1", "::1")
	exit := names.exit()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for _, host := range []string{
		"2130706433", "0x7f000001", "0x7f.0.0.1", "017700000001", "0177.0.0.1", "127.1", "127.0.1", "127.0.0.1.", "localhost", "localhost.", "LOCALHOST",
		"[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:0:0:1]", "[::1%25lo]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]",
		"anything.example.com", "example.com@127.0.0.1", "user:word@localhost", "127.0.0.1.nip.example", "①②⑦.⓪.⓪.①", "127。0。0。1",
	} {
		url := "http://" + host + ":" + strconv.Itoa(int(canary.Addr.Port())) + "/"
		err := exit.get(ctx, url)
		if missing, ok := errors.AsType[*net.DNSError](err); !ok || !missing.IsNotFound { // numbers are no names: nobody is asked
			require.ErrorIs(t, err, ErrDenied, host)
		}
		if to, err := netip.ParseAddrPort(host + ":1"); err == nil {
			require.False(t, exit.Reaches(to), host)
		}
	}
	require.Zero(t, canary.Connects())
}
