package redis

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"sync"
	"time"

	driver "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"

	"steward/internal/connector"
	"steward/internal/connector/database"
)

const (
	mostConnections = 4
	idleTime        = time.Minute
	dialTime        = 10 * time.Second
)

// link is a pool of connections to one server.
type link struct {
	client *driver.Client
	writes bool // the user has allowed them

	mu     sync.Mutex
	reader reader
	proved time.Time // when the wall behind reader was last seen to stand
}

// open makes a link that dials when it is used first.
func open(s connector.Settings, dial connector.Dial) (connector.Link, error) {
	// The library has one logger for the whole program, which writes users' addresses to standard error. What it has
	// to say comes back as errors.
	logging.Disable()
	host := s.Text(database.Host)
	return &link{
		writes: s.Ticked(database.Writes),
		client: driver.NewClient(&driver.Options{
			Network: "tcp", Addr: database.Address(s), Dialer: dialer(dial, database.TLS(s, host)),
			Username: s.Text(database.Username), Password: s.Text(database.Password), DB: s.Number(database.Name),
			// RESP2 has no messages that come unasked, and five kinds of values. Nothing is told about us.
			Protocol: 2, DisableIdentity: true,
			MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
			// Who repeats is decided by the ledger.
			MaxRetries: -1, DialerRetries: 1, ContextTimeoutEnabled: true,
			DialTimeout: dialTime, ReadTimeout: database.QueryTime, WriteTimeout: database.QueryTime,
			PoolSize: mostConnections, MaxActiveConns: mostConnections, PipelinePoolSize: -1, ConnMaxIdleTime: idleTime,
		}),
	}, nil
}

// dialer is the only way to the server: by the rules for the user, protected as the form says, and read with bounds.
func dialer(dial connector.Dial, protection *tls.Config) connector.Dial {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		if protection == nil {
			return &bounded{Conn: conn}, nil
		}
		safe := tls.Client(conn, protection)
		if err := safe.HandshakeContext(ctx); err != nil {
			_ = conn.Close() // the handshake's error says more
			return nil, fmt.Errorf("TLS handshake: %w", err)
		}
		return &bounded{Conn: safe}, nil
	}
}

// Test logs in and sees whether the walls stand, and whether the account may write if it is to.
func (l *link) Test(ctx context.Context) error {
	if _, err := l.reading(ctx); err != nil {
		return err
	}
	if !l.writes {
		return nil
	}
	return mayWrite(ctx, l.client)
}

// Close ends the connections.
func (l *link) Close() { _ = l.client.Close() } // its only error is that it is closed

// linkOf is the link of a session, as open has made it.
func linkOf(s *connector.Session) *link { return s.Link.(*link) }
