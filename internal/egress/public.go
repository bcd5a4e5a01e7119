package egress

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// private are the ends of names that no public DNS answers (RFC 6761, RFC 6762, RFC 8375, RFC 9476, and what
// private networks use).
var private = []string{".localhost", ".local", ".internal", ".intranet", ".lan", ".home.arpa", ".alt", ".onion", ".test", ".example", ".invalid", ".arpa"}

// CheckPublicURL refuses an address that somebody else could not, or must not, reach for us: anything but
// https, user names, special numbers in any spelling, and names of private networks. It asks no DNS: whoever
// dials has to judge what the name stands for.
func CheckPublicURL(raw string) error {
	u, err := url.Parse(raw)
	if err != nil {
		return errors.New("is not a URL") // the parser's error repeats the text
	}
	switch {
	case u.Scheme != "https":
		return errors.New("must start with https://")
	case u.User != nil:
		return errors.New("must not hold a user name or password")
	case u.Hostname() == "":
		return errors.New("has no host")
	}
	return checkPublicHost(strings.ToLower(strings.TrimSuffix(u.Hostname(), ".")))
}

func checkPublicHost(host string) error {
	if addr, err := netip.ParseAddr(host); err == nil {
		return checkPublicAddr(addr)
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	if last == "" || strings.HasPrefix(last, "0x") || strings.Trim(last, "0123456789") == "" {
		return fmt.Errorf("%w: a number in an unusual spelling", ErrDenied) // 127.1, 0x7f000001, 2130706433
	}
	if !strings.Contains(host, ".") {
		return fmt.Errorf("%w: a name of this network alone", ErrDenied)
	}
	for _, end := range private {
		if strings.HasSuffix(host, end) {
			return fmt.Errorf("%w: a name of a private network", ErrDenied)
		}
	}
	return nil
}

// checkPublicAddr judges by the same rules as dialling does, without what the operator allows: the address is
// for others to reach.
func checkPublicAddr(addr netip.Addr) error {
	if addr.Zone() != "" || addr.Is4In6() || newGuard(nil).judge(netip.AddrPortFrom(addr, 443)) != nil {
		return fmt.Errorf("%w: a special number", ErrDenied)
	}
	return nil
}
