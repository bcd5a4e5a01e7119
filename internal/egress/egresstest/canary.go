package egresstest

import (
	"context"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// Canary listens on this machine, where nobody is allowed, and counts who comes.
type Canary struct {
	Addr  netip.AddrPort
	count atomic.Int64
}

// NewCanary listens at an address, such as 127.0.0.1.
func NewCanary(t testing.TB, address string) *Canary {
	t.Helper()
	l := Listen(t, address)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	to, err := netip.ParseAddrPort(l.Addr().String())
	require.NoError(t, err)
	c := &Canary{Addr: to}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			c.count.Add(1)
			_ = conn.Close()
		}
	}()
	return c
}

// Connects is how many connections came.
func (c *Canary) Connects() int { return int(c.count.Load()) }

// Listen takes a free port of an address. The caller closes it.
func Listen(t testing.TB, address string) net.Listener {
	t.Helper()
	var config net.ListenConfig
	l, err := config.Listen(context.WithoutCancel(t.Context()), "tcp", net.JoinHostPort(address, "0"))
	require.NoError(t, err)
	return l
}
