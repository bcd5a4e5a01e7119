package postgres

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"steward/internal/connector"
	"steward/internal/connector/database"
)

const (
	connectTime = 5 * time.Second
	mostConns   = 4
	idleClose   = time.Minute
	// mostMessage bounds one message of the server, which is one row, in bytes: rows that can never be part of an answer
	// need not be read into memory.
	mostMessage = 8 << 20
)

// nothing is a connection string that answers every question pgx would otherwise ask the environment or a file (PGHOST,
// PGPASSFILE, PGSSLROOTCERT and so on). What the user has filled in never becomes part of such a string: it is set field
// by field afterwards.
const nothing = "host=localhost port=5432 dbname=none user=none password=none passfile='' connect_timeout=5 " +
	"sslmode=disable sslcert='' sslkey='' sslrootcert='' sslcertmode=disable sslnegotiation='' sslpassword='' sslsni=1 " +
	"target_session_attrs=any min_protocol_version=3.0 max_protocol_version=3.0 channel_binding=prefer require_auth=''"

// config is how the connections of a link are made.
func config(s connector.Settings, dial connector.Dial) (*pgxpool.Config, error) {
	c, err := pgxpool.ParseConfig(nothing)
	if err != nil { // PGSERVICE of the process names a service that there is not
		return nil, fmt.Errorf("prepare connection: %w", err)
	}
	c.MaxConns, c.MaxConnIdleTime, c.HealthCheckPeriod, c.PingTimeout = mostConns, idleClose, idleClose/2, connectTime
	writes := s.Ticked(database.Writes)
	c.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error { return judge(ctx, conn, writes) }

	to := c.ConnConfig
	to.Host, to.Port = s.Text(database.Host), uint16(s.Number(database.Port)) //nolint:gosec // G115: the form has bounds
	to.Database, to.User, to.Password = s.Text(database.Name), s.Text(database.Username), s.Secret(database.Password).Reveal()
	to.TLSConfig = database.TLS(s, to.Host)
	to.Fallbacks = nil // above all none without TLS
	to.ConnectTimeout = connectTime
	to.MaxProtocolMessageBodyLen = mostMessage
	to.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		return dial(ctx, network, address)
	}
	to.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil } // dial looks it up, and judges
	to.RuntimeParams = map[string]string{
		"application_name": "steward",
		"client_encoding":  "UTF8",
		"DateStyle":        "ISO",
		// The role may have it off, and then quotes would end elsewhere than where package statement thinks.
		"standard_conforming_strings": "on",
	}
	return c, nil
}
