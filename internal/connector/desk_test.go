package connector_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/auth/authtest"
	"steward/internal/connector"
	"steward/internal/connector/formtest"
	"steward/internal/egress"
	"steward/internal/oauth"
	"steward/internal/secret"
	"steward/internal/store"
	"steward/internal/storetest"
)

// canary is what nobody may see again.
const canary = "hunter2canary"

// desk is where users connect databases that stand on paper.
type desk struct {
	*connector.Connections

	t     *testing.T
	db    *store.DB
	ring  *secret.Ring
	paper *formtest.Paper
	kind  *connector.Connector
	log   *lockedBuffer
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, db: storetest.New(t), paper: &formtest.Paper{}, log: &lockedBuffer{}}
	var err error
	d.ring, err = secret.NewRing(authtest.Key(t))
	require.NoError(t, err)
	d.kind = d.paper.Connector()
	d.Connections = d.process(d.kind)
	return d
}

// process is one more process on the same database.
func (d *desk) process(kinds ...*connector.Connector) *connector.Connections {
	d.t.Helper()
	c, err := connector.NewConnections(connector.Options{
		Credentials: &oauth.Service{}, DB: d.db, Ring: d.ring, Log: slog.New(slog.NewTextHandler(d.log, nil)),
		Dial: func(string) connector.Dial {
			return func(_ context.Context, network, address string) (net.Conn, error) {
				return nil, fmt.Errorf("dial %s %s: %w", network, address, egress.ErrDenied)
			}
		},
	}, kinds...)
	require.NoError(d.t, err)
	d.t.Cleanup(c.Close)
	return c
}

// filled is seed 002's form, with more or other answers.
func (d *desk) filled(owner string, answers ...any) connector.Filled {
	values := map[string]any{"host": "analytics.db.example.com", "port": 5432.0, "database": "campaigns", "username": "db_user", "password": canary}
	for i := 0; i < len(answers); i += 2 {
		values[answers[i].(string)] = answers[i+1]
	}
	return connector.Filled{Owner: owner, Actor: "apikey:1", Kind: d.kind, Values: values}
}

func (d *desk) connect(owner, name string, answers ...any) connector.Connection {
	d.t.Helper()
	c, replayed, err := d.Connect(d.t.Context(), d.filled(owner, answers...), name)
	require.NoError(d.t, err)
	require.False(d.t, replayed)
	return c
}

func (d *desk) count(query string, arguments ...any) (n int) {
	d.t.Helper()
	require.NoError(d.t, d.db.Pool.QueryRow(d.t.Context(), query, arguments...).Scan(&n))
	return n
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
