package registry

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"steward/internal/egress"
	"steward/internal/fault"
)

// CodeEgressDenied is the code of the fault for an address that the operator does not let the caller reach.
const CodeEgressDenied = "egress_denied"

// maxURL is the longest URL, in bytes.
const maxURL = 2048

// checkAddress refuses early what could not be dialled anyway, and what users may not name. Whoever dials judges the
// address again: what a name stands for may change (security.md T-06, T-07).
func checkAddress(ctx context.Context, raw string, byAdmin bool, exit *egress.Exit) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil || len(raw) > maxURL || !printable(raw):
		return fault.InvalidField("body.url", "is not a URL")
	case u.Fragment != "" || strings.Contains(raw, "#"):
		return fault.InvalidField("body.url", "must not hold a fragment")
	case u.Scheme != "https" && (u.Scheme != "http" || !byAdmin):
		return fault.InvalidField("body.url", "must start with https://")
	}
	public := *u
	public.Scheme = "https" // an admin may do without it; the rest is judged alike
	err = egress.CheckPublicURL(public.String())
	switch {
	case err == nil:
		return nil
	case !errors.Is(err, egress.ErrDenied):
		return fault.InvalidField("body.url", "%s", err.Error())
	case allowed(ctx, u.Hostname(), exit):
		return nil
	}
	return fault.InvalidField("body.url", "the address is not public, and the operator has not allowed it").WithCode(CodeEgressDenied)
}

// lookupTime bounds the question what a name of a private network stands for.
const lookupTime = 3 * time.Second

// allowed says that everything the host stands for is on the operator's list.
func allowed(ctx context.Context, host string, exit *egress.Exit) bool {
	if addr, err := netip.ParseAddr(host); err == nil {
		return exit.Allows(addr)
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	return err == nil && len(addrs) > 0 && !slices.ContainsFunc(addrs, func(a netip.Addr) bool { return !exit.Allows(a) })
}
