package dev

import (
	"context"
	"fmt"
	"net"
	"strconv"

	"steward/dev/stack/process"
	"steward/internal/fault"
)

// loopback checks an address of this machine alone and, for port 0, takes a free one.
func loopback(ctx context.Context, what, setting, address string) (string, error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", fault.New(fault.Invalid, "%s: %s is not host:port", setting, address).WithCode("invalid_settings")
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return "", fault.New(fault.Invalid, "%s: steward dev listens on loopback alone, such as 127.0.0.1:8000", setting).WithCode("invalid_settings")
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return "", fault.New(fault.Invalid, "%s: %s is no port", setting, text).WithCode("invalid_settings")
	}
	if port == 0 {
		if port, err = process.FreePort(ctx, 0); err != nil {
			return "", err
		}
	}
	address = net.JoinHostPort(host, strconv.Itoa(port))
	var c net.ListenConfig
	l, err := c.Listen(ctx, "tcp", address)
	if err != nil {
		return "", fault.Wrap(err, fault.Unavailable, "port %d, for %s, is taken: stop what listens there, or choose another with %s", port, what, setting).
			WithCode("port_taken")
	}
	return address, l.Close()
}

func freeAddress(ctx context.Context) (string, error) {
	port, err := process.FreePort(ctx, 0)
	if err != nil {
		return "", err
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), nil
}

func portOf(address string) (int, error) {
	_, text, err := net.SplitHostPort(address)
	if err != nil {
		return 0, fmt.Errorf("port of %s: %w", address, err)
	}
	return strconv.Atoi(text)
}
