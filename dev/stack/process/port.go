package process

import (
	"context"
	"fmt"
	"net"
	"strconv"
)

// FreePort is a TCP port of 127.0.0.1 that nothing listens on at this moment: wish if it is free, else any;
// wish 0 means any. Another process may still take it first; who starts a child on it finds out because the
// child ends.
func FreePort(ctx context.Context, wish int) (int, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(wish)))
	if err != nil && wish != 0 {
		return FreePort(ctx, 0)
	} else if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	return port, l.Close()
}
