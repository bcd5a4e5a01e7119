package egress

import "net/netip"

// Judge returns the rule by which NewClient dials, for those who dial in another way: public addresses and the
// allowed ones.
func Judge(allow []netip.Prefix) func(netip.AddrPort) bool {
	check := guard(allow)
	return func(address netip.AddrPort) bool {
		address = netip.AddrPortFrom(address.Addr().Unmap(), address.Port())
		network := "tcp4"
		if address.Addr().Is6() {
			network = "tcp6"
		}
		return check(network, address.String(), nil) == nil
	}
}
