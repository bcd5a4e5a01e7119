package app

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/connector"
	"steward/internal/egress"
	"steward/internal/egress/egresstest"
	"steward/internal/fault"
	"steward/internal/oauth"
	"steward/internal/secret"
	"steward/internal/store"
)

// dialled is what users may connect with forms, and how many connections came of it by owner.
type dialled struct {
	*connector.Connections
	count map[string]*atomic.Int64
}

func newDialled(t *testing.T, rules egress.Rules) *dialled {
	t.Helper()
	exits := egress.New(rules)
	d := &dialled{count: map[string]*atomic.Int64{"alice": {}, "bob": {}}}
	var err error
	d.Connections, err = connector.NewConnections(connector.Options{
		Credentials: &oauth.Service{}, DB: &store.DB{}, Ring: &secret.Ring{}, Log: slog.New(slog.DiscardHandler),
		Dial: func(owner string) connector.Dial {
			return func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := exits.Of(owner).Dial(ctx, network, address)
				if err == nil {
					d.count[owner].Add(1)
				}
				return conn, err
			}
		},
	}, connectors()...)
	require.NoError(t, err)
	t.Cleanup(d.Close)
	return d
}

// databases are the connectors whose form says where they go.
func (d *dialled) databases(t *testing.T) []*connector.Connector {
	t.Helper()
	var out []*connector.Connector
	for _, kind := range d.Kinds() {
		if kind.Form != nil && slices.ContainsFunc(kind.Form.Fields, func(f connector.Field) bool { return f.Name == host || f.Name == dsn }) {
			out = append(out, kind)
		}
	}
	require.NotEmpty(t, out)
	return out
}

// Fields that say where.
const (
	host = "host"
	dsn  = "connection_string"
)

// try fills in a form and tests it.
func (d *dialled) try(t *testing.T, owner string, kind *connector.Connector, at string, port uint16) error {
	t.Helper()
	values := map[string]any{}
	for _, f := range kind.Form.Fields {
		switch {
		case f.Name == host:
			values[f.Name] = at
		case f.Name == "port":
			values[f.Name] = int(port)
		case f.Name == dsn:
			values[f.Name] = "mongodb://app:canary-4711@" + net.JoinHostPort(at, strconv.Itoa(int(port))) + "/shop"
		case f.Required && f.Default == nil:
			values[f.Name] = "shop"
		}
	}
	return d.Test(t.Context(), connector.Filled{Owner: owner, Actor: owner, Kind: kind, Values: values})
}

// T-08: no database is looked for at a special address, however it is written.
func TestT08DatabasesAtSpecialAddresses(t *testing.T) {
	t.Parallel()
	canary := egresstest.NewCanary(t, "127.0.0.1")
	d := newDialled(t, egress.Rules{})
	for _, kind := range d.databases(t) {
		t.Run(kind.Name, func(t *testing.T) {
			t.Parallel()
			for _, special := range egresstest.Special() {
				u, err := url.Parse("http://" + special)
				require.NoError(t, err)
				err = d.try(t, "alice", kind, u.Hostname(), canary.Addr.Port())
				require.True(t, fault.Is(err, fault.Invalid), "%s: %v", special, err)
				if netip.MustParseAddr(u.Hostname()).Zone() == "" { // no form takes a zone
					require.Equal(t, connector.CodeEgressDenied, fault.CodeOf(err), "%s: %v", special, err)
				}
				require.NotContains(t, fault.Text(err), u.Hostname())
			}
			for _, odd := range []string{
				"localhost", "localhost.", "2130706433", "0x7f000001", "017700000001", "127.1", "127.0.0.1.", "127.0.0.1,8.8.8.8", "127.0.0.1/x",
				"127.0.0.1:1", "app@127.0.0.1", "host=127.0.0.1", "/tmp", "/run/postgresql/.s.PGSQL.5432", "%2Ftmp%2Fmongodb-27017.sock", "mongodb.sock", "..",
			} {
				require.Error(t, d.try(t, "alice", kind, odd, canary.Addr.Port()), odd)
			}
		})
	}
	t.Cleanup(func() {
		require.Zero(t, canary.Connects())
		require.Zero(t, d.count["alice"].Load())
	})
}

// T-08: a private database of one user is none of another's, also right after the first one has used it.
func TestT08DatabaseOfOneUser(t *testing.T) {
	t.Parallel()
	rules, err := egress.Parse([]string{"alice=127.0.0.1"})
	require.NoError(t, err)
	d := newDialled(t, rules)
	for _, kind := range d.databases(t) {
		t.Run(kind.Name, func(t *testing.T) {
			t.Parallel()
			canary := egresstest.NewCanary(t, "127.0.0.1") // hangs up: it is no database
			err := d.try(t, "alice", kind, "127.0.0.1", canary.Addr.Port())
			require.Error(t, err)
			require.NotEqual(t, connector.CodeEgressDenied, fault.CodeOf(err), "%v", err)
			require.NotZero(t, d.count["alice"].Load())
			require.Equal(t, connector.CodeEgressDenied, fault.CodeOf(d.try(t, "bob", kind, "127.0.0.1", canary.Addr.Port())))
			require.Zero(t, d.count["bob"].Load())
		})
	}
}
