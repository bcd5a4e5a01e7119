package egress

import (
	"fmt"
	"net/netip"
	"slices"
	"syscall"

	"code.dny.dev/ssrf"
)

// azureHost is Azure's host agent: a public number that answers to the machine alone, so the registry of
// special addresses does not have it.
var azureHost = netip.MustParsePrefix("168.63.129.16/32")

// guard judges addresses: public ones may be reached, and the allowed ones.
type guard struct {
	public *ssrf.Guardian
	allow  []netip.Prefix
}

func newGuard(allow []netip.Prefix) guard {
	return guard{ssrf.New(ssrf.WithAnyPort(), ssrf.WithDeniedV4Prefixes(azureHost)), allow}
}

// allows says that an address is reachable although it may be private.
func (g guard) allows(addr netip.Addr) bool {
	return slices.ContainsFunc(g.allow, func(p netip.Prefix) bool { return p.Contains(addr.Unmap()) })
}

// control implements net.Dialer.Control: it sees the address that the socket is about to be connected to.
func (g guard) control(network, address string, c syscall.RawConn) error {
	if to, err := netip.ParseAddrPort(address); err == nil && g.allows(to.Addr()) {
		return nil
	}
	if err := g.public.Safe(network, address, c); err != nil {
		return fmt.Errorf("%w: %w", ErrDenied, err)
	}
	return nil
}

// judge is control for an address that somebody else dials.
func (g guard) judge(to netip.AddrPort) error {
	to = netip.AddrPortFrom(to.Addr().Unmap(), to.Port())
	network := "tcp4"
	if to.Addr().Is6() {
		network = "tcp6"
	}
	return g.control(network, to.String(), nil)
}
