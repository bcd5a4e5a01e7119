package postgres_test

import (
	"context"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/connector/postgres"
	"steward/internal/egress"
	"steward/internal/fault"
)

// notebook dials as told and keeps what it was told.
type notebook struct {
	mu  sync.Mutex
	all []string
}

func (n *notebook) dial(ctx context.Context, network, address string) (net.Conn, error) {
	n.mu.Lock()
	n.all = append(n.all, network+" "+address)
	n.mu.Unlock()
	return plainDial(ctx, network, address)
}

func (n *notebook) dialled() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.all
}

// T-08: what looks like a path, a list, an option or a service is refused, or is nothing but a name.
func TestT08HostsThatAreNone(t *testing.T) {
	t.Parallel()
	for _, host := range []string{
		"/var/run/postgresql", "@abstract", "a,b", "db.example.com:5432", "host=10.0.0.5", "10.0.0.5 service=x", "postgres://u@h/d", "h?host=10.0.0.5",
		"-h", "h\nx", `C:\x`, "", "h/x", "user@h", "[::1]", "a'b",
	} {
		filled := map[string]any{"host": host, "database": "d", "username": "u", "password": "p"}
		_, err := postgres.New().Form.Read(filled)
		require.Equal(t, fault.Invalid, fault.KindOf(err), host)
	}
	for _, host := range []string{"::1", "2001:db8::1", "127.0.0.1", "db-1.example.com", "my_db", "::ffff:10.0.0.5"} {
		_, err := postgres.New().Form.Read(map[string]any{"host": host, "database": "d", "username": "u", "password": "p"})
		require.NoError(t, err, host)
	}
}

func TestT08NothingElseIsDialled(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	host, port := address(t)
	for field, values := range map[string][]string{
		"database": {"x host=10.0.0.5", "postgres://10.0.0.5/x", "service=x", "x' host='10.0.0.5", "d?host=10.0.0.5", "replication=true"},
		"username": {"u host=10.0.0.5", "u passfile=/etc/passwd", "u options=-c"},
		"password": {"p host=10.0.0.5", "p' sslrootcert='/etc/passwd"},
	} {
		for _, value := range values {
			n := &notebook{}
			link := open(t, p.form(reader), n.dial, map[string]any{field: value})
			e := failure(t, link.Test(t.Context()))
			require.True(t, e.Answered, "it was asked, and said no: %s", value)
			require.Equal(t, []string{"tcp " + net.JoinHostPort(host, port)}, n.dialled(), value)
		}
	}
}

// Hosts of one number or name are dialled as they are, and the rules for addresses judge where that leads.
func TestT08AddressesThatAreNotAllowed(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	exit := egress.NewExit()
	for _, host := range []string{"127.0.0.1", "localhost", "10.0.0.5", "169.254.169.254", "::1", "2130706433", "0x7f000001", "::ffff:127.0.0.1"} {
		connected := 0
		dial := func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := exit.Dial(ctx, network, address)
			if err == nil {
				connected++
			}
			return conn, err
		}
		link := open(t, p.form(reader), dial, map[string]any{"host": host})
		err := link.Test(t.Context())
		require.Error(t, err, host)
		require.Zero(t, connected, host)
		if host != "0x7f000001" && host != "2130706433" { // whether these are names is the resolver's business
			require.ErrorIs(t, err, egress.ErrDenied, host)
			require.Contains(t, failure(t, err).Reason, "not allowed")
			require.NotContains(t, failure(t, err).Reason, host)
		}
	}
}

// The environment of the process and files of its user have no say.
func TestT08EnvironmentIsIgnored(t *testing.T) { //nolint:paralleltest // the environment is the whole process's
	p := newPlace(t)
	host, port := address(t)
	folder := t.TempDir()
	service, pass := filepath.Join(folder, "services"), filepath.Join(folder, "pass")
	require.NoError(t, os.WriteFile(service, []byte("[evil]\nhost=10.0.0.5\nuser=evil\noptions=-c search_path=x\nsslmode=require\n"), 0o600))
	require.NoError(t, os.WriteFile(pass, []byte(fmt.Sprintf("*:*:*:*:%s\n", password.Reveal())), 0o600))
	for name, value := range map[string]string{
		"PGHOST": "10.0.0.5", "PGPORT": "1", "PGUSER": "evil", "PGDATABASE": "evil", "PGSERVICEFILE": service, "PGSERVICE": "evil", "PGPASSFILE": pass,
		"PGSSLMODE": "verify-full", "PGSSLROOTCERT": "/no/such/file", "PGSSLCERT": "/no/such/file", "PGSSLKEY": "/no/such/file", "PGOPTIONS": "-c search_path=x",
		"PGTARGETSESSIONATTRS": "standby", "PGAPPNAME": "evil", "PGTZ": "Asia/Tokyo", "PGCHANNELBINDING": "require", "PGREQUIREAUTH": "none",
		"PGMINPROTOCOLVERSION": "3.2", "PGCONNECT_TIMEOUT": "x", "PGSSLCERTMODE": "require", "PGSSLNEGOTIATION": "direct",
	} {
		t.Setenv(name, value)
	}
	filled := map[string]any{"host": host, "port": port, "database": p.name, "username": reader, "password": password.Reveal()}
	n := &notebook{}
	link := open(t, maps.Clone(filled), n.dial)
	got, err := query(t, link, "SELECT current_setting('application_name') AS app, current_setting('search_path') AS path, current_setting('TimeZone') = 'Asia/Tokyo' AS tz")
	require.NoError(t, err)
	require.Equal(t, map[string]any{"app": "steward", "path": `"$user", public`, "tz": false}, got.Rows[0])
	require.Equal(t, []string{"tcp " + net.JoinHostPort(host, port)}, n.dialled())
}

func TestWrongPasswordAndDatabase(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	for field, want := range map[string]string{"password": "the name or the password is wrong", "database": "no database of this name"} {
		e := failure(t, open(t, p.form(reader), plainDial, map[string]any{field: "canary-wrong"}).Test(t.Context()))
		require.True(t, e.Answered)
		require.Contains(t, e.Reason, want)
		require.NotContains(t, e.Error(), password.Reveal())
	}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := listener.Addr().(*net.TCPAddr).Port
	require.NoError(t, listener.Close())
	e := failure(t, open(t, p.form(reader), plainDial, map[string]any{"port": port}).Test(t.Context()))
	require.False(t, e.Answered)
	require.Contains(t, e.Reason, "cannot be reached")
}
