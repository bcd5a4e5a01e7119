// Package egress is the only dialer and HTTP client for addresses that users or remote servers supply.
// An address is judged when it is dialled, after DNS, so that a name cannot point elsewhere between the
// check and the use.
package egress

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"code.dny.dev/ssrf"
)

// azureHost is Azure's host agent: a public number that answers to the machine alone, so the registry of
// special addresses does not have it.
var azureHost = netip.MustParsePrefix("168.63.129.16/32")

// maxRedirects bounds a chain; each target is dialled by the same rules.
const maxRedirects = 3

// ErrDenied means that an address is not for users to reach.
var ErrDenied = errors.New("address not allowed")

// Parse reads STEWARD_EGRESS_ALLOW: comma-separated prefixes or addresses that may be reached although
// they are private.
func Parse(list string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, item := range strings.Split(list, ",") {
		item = strings.TrimSpace(item)
		if item == "" {
			continue
		}
		p, err := netip.ParsePrefix(item)
		if err != nil {
			a, err := netip.ParseAddr(item)
			if err != nil {
				return nil, fmt.Errorf("%q is neither an address nor a prefix", item)
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		out = append(out, p.Masked())
	}
	return out, nil
}

// NewClient makes an HTTP client that reaches public addresses and the allowed ones. It takes no proxy
// from the environment, which would dial for us unseen. It sets no overall timeout: streams live long.
func NewClient(allow []netip.Prefix) *http.Client {
	dialer := &net.Dialer{Timeout: 10 * time.Second, Control: guard(allow)}
	return &http.Client{
		Transport: &http.Transport{
			Proxy: nil, DialContext: dialer.DialContext, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 16,
			IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: 65 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(_ *http.Request, via []*http.Request) error {
			if len(via) > maxRedirects {
				return errors.New("too many redirects")
			}
			return nil
		},
	}
}

// NewDialer dials TCP by the same rules for those who speak something else than HTTP: databases. A name is judged by
// the address that is dialled, and a path to a socket is none.
func NewDialer(allow []netip.Prefix) func(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: 10 * time.Second, Control: guard(allow)}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if network != "tcp" && network != "tcp4" && network != "tcp6" {
			return nil, fmt.Errorf("%w: %s is not dialled", ErrDenied, network)
		}
		return dialer.DialContext(ctx, network, address)
	}
}

func guard(allow []netip.Prefix) func(network, address string, c syscall.RawConn) error {
	public := ssrf.New(ssrf.WithAnyPort(), ssrf.WithDeniedV4Prefixes(azureHost))
	return func(network, address string, c syscall.RawConn) error {
		if ap, err := netip.ParseAddrPort(address); err == nil {
			for _, p := range allow {
				if p.Contains(ap.Addr().Unmap()) {
					return nil
				}
			}
		}
		if err := public.Safe(network, address, c); err != nil {
			return fmt.Errorf("%w: %w", ErrDenied, err)
		}
		return nil
	}
}
