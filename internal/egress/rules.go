package egress

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Rules are the private addresses that users may reach nevertheless. The zero value has none.
type Rules struct {
	Everybody []netip.Prefix
	Own       map[string][]netip.Prefix // by owner: that user alone, beside what everybody may reach
}

// Parse reads the items of STEWARD_EGRESS_ALLOW: a prefix or an address for everybody, owner=prefix for one user.
func Parse(items []string) (Rules, error) {
	var r Rules
	for _, item := range items {
		item = strings.TrimSpace(item)
		if item == "" {
			continue
		}
		at := strings.LastIndexByte(item, '=') // names may hold one, addresses never do
		p, err := prefix(strings.TrimSpace(item[at+1:]))
		if err != nil {
			return Rules{}, err
		}
		owner := strings.TrimSpace(item[:max(at, 0)])
		switch {
		case at < 0:
			r.Everybody = append(r.Everybody, p)
		case owner == "":
			return Rules{}, fmt.Errorf("%q does not say for whom", item)
		case r.Own == nil:
			r.Own = map[string][]netip.Prefix{owner: {p}}
		default:
			r.Own[owner] = append(r.Own[owner], p)
		}
	}
	return r, nil
}

// prefix refuses what would never match: an address is judged without its zone, and as IPv4 where it is one.
func prefix(text string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(text)
	if err != nil {
		a, err := netip.ParseAddr(text)
		if err != nil {
			return p, fmt.Errorf("%q is neither an address nor a prefix", text)
		}
		p = netip.PrefixFrom(a, a.BitLen())
		if a.Zone() != "" {
			return p, fmt.Errorf("%q holds a zone", text)
		}
	}
	if p.Addr().Is4In6() {
		return p, fmt.Errorf("%q is IPv4 written as IPv6: write it as IPv4", text)
	}
	return p.Masked(), nil
}

// of are the private addresses that owner may reach.
func (r Rules) of(owner string) []netip.Prefix { return slices.Concat(r.Everybody, r.Own[owner]) }
