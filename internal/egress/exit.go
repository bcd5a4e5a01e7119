package egress

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"
)

const (
	dialTime = 10 * time.Second
	// maxRedirects bounds a chain; each target is dialled by the same rules.
	maxRedirects = 3
)

// Exit is the network as far as one user may reach it: public addresses and those that the operator has allowed. It is
// safe for concurrent use.
type Exit struct {
	guard   guard
	dialer  *net.Dialer
	client  *http.Client
	patient *http.Client
}

// NewExit makes an exit to public addresses and the allowed ones.
func NewExit(allow ...netip.Prefix) *Exit {
	x := &Exit{guard: newGuard(allow)}
	x.dialer = &net.Dialer{Timeout: dialTime, Control: x.guard.control}
	x.client = x.over(65 * time.Second)
	x.patient = x.over(0)
	return x
}

// Patient is Client for those who give each request its time: it waits for the head of an answer as long as they do.
func (x *Exit) Patient() *http.Client { return x.patient }

// over makes a client that waits so long for the head of an answer; 0: for ever.
func (x *Exit) over(head time.Duration) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy: nil, DialContext: x.Dial, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 16,
			IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: head,
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

// Client speaks HTTP. It takes no proxy from the environment, which would dial for us unseen. It sets no overall
// timeout: streams live long.
func (x *Exit) Client() *http.Client { return x.client }

// Dial connects over TCP, for those who speak something else than HTTP: databases. A name is judged by the address
// that is dialled, and a path to a socket is none.
func (x *Exit) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	if network != "tcp" && network != "tcp4" && network != "tcp6" {
		return nil, fmt.Errorf("%w: %s is not dialled", ErrDenied, network)
	}
	return x.dialer.DialContext(ctx, network, address)
}

// Reaches says whether an address may be connected to, for those who dial in another way.
func (x *Exit) Reaches(to netip.AddrPort) bool { return x.guard.judge(to) == nil }

// Allows says whether the operator has allowed an address, private or not.
func (x *Exit) Allows(addr netip.Addr) bool { return x.guard.allows(addr) }
