package mysql_test

import (
	"context"
	"encoding/pem"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/dev/counterpart/mariadb"
	"steward/internal/connector/mysql"
	"steward/internal/egress"
)

// A host is a name or an address: no path, list, option or other driver's syntax (T-08).
func TestT08HostsThatAreNone(t *testing.T) {
	t.Parallel()
	for _, host := range []string{
		"/var/run/mysqld/mysqld.sock", "unix(/tmp/x)", "tcp(10.0.0.1:3306)", "a/b", "a@b", "a?x=y", "a,b", "a b", "host;x", "(x)", "-x", "\\\\server\\pipe", "a\nb", "a%2fb", "[::1", "x'y", "",
	} {
		_, err := mysql.New().Form.Read(map[string]any{"host": host, "database": "d", "username": "u", "password": "p"})
		require.Error(t, err, host)
	}
}

// What is written into the other fields stays what it is: the driver gets no text that it would take apart.
func TestT08FieldsThatLookLikeSettings(t *testing.T) {
	t.Parallel()
	var dialled []string
	for _, text := range []string{"d?allowAllFiles=true&multiStatements=true", "u:p@unix(/tmp/x)/d", "@tcp(10.0.0.1:1)/x", "a/b"} {
		settings, err := mysql.New().Form.Read(map[string]any{"host": "db.example.com", "database": text, "username": text, "password": text})
		require.NoError(t, err)
		link := open(t, settings, func(_ context.Context, network, address string) (net.Conn, error) {
			dialled = append(dialled, network+" "+address)
			return nil, egress.ErrDenied
		})
		e := failure(t, link.Test(t.Context()))
		require.ErrorIs(t, e, egress.ErrDenied)
		require.Equal(t, "the address may not be reached from here", e.Reason)
	}
	for _, to := range dialled {
		require.Equal(t, "tcp db.example.com:3306", to)
	}
}

// Addresses of private networks are not dialled, whatever is asked.
func TestT08PrivateAddresses(t *testing.T) {
	t.Parallel()
	var reached atomic.Int32
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			reached.Add(1)
			_ = conn.Close()
		}
	}()
	for _, host := range []string{"127.0.0.1", "::1", "0.0.0.0", "10.0.0.5", "192.168.1.1", "169.254.169.254", "::ffff:127.0.0.1", "100.64.0.1", "localhost"} {
		settings, err := mysql.New().Form.Read(map[string]any{
			"host": host, "port": listener.Addr().(*net.TCPAddr).Port, "database": "d", "username": "u", "password": "p", "allow_writes": true,
		})
		require.NoError(t, err)
		c := &connection{t, open(t, settings, egress.NewExit().Dial)}
		require.ErrorIs(t, c.link.Test(t.Context()), egress.ErrDenied, host)
		require.ErrorIs(t, c.refuses("SELECT 1"), egress.ErrDenied, host)
		e := failure(t, c.call("DB_WRITE", map[string]string{"statement": "DELETE FROM t"}, nil))
		require.ErrorIs(t, e, egress.ErrDenied, host)
		require.False(t, e.Ran)
	}
	require.Zero(t, reached.Load())
}

// A server that we log in to may ask for our files and our password (T-08).
func TestT08RogueServer(t *testing.T) {
	t.Parallel()
	canary := filepath.Join(t.TempDir(), "canary")
	const secret = "canary-content-5f1c"
	require.NoError(t, os.WriteFile(canary, []byte(secret), 0o600))
	const password = "canary-password-77aa"
	for name, rogue := range map[string]*rogueServer{
		"file at the first command":  {file: canary, after: 0},
		"file at START TRANSACTION":  {file: canary, after: 1},
		"file at SHOW GRANTS":        {file: canary, after: 2},
		"file at the query":          {file: canary, after: 3},
		"quoted file":                {file: `"` + canary + `"`, after: 3},
		"a reader":                   {file: "Reader::" + canary, after: 3},
		"file instead of a login":    {file: canary, after: -1},
		"password in clear":          {plugin: "mysql_clear_password"},
		"password in clear, dialog":  {plugin: "dialog"},
		"password hashed as of old":  {plugin: "mysql_old_password"},
		"password for an old server": {plugin: "-"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rogue.start(t)
			settings, err := mysql.New().Form.Read(map[string]any{
				"host": "127.0.0.1", "port": rogue.port, "database": "d", "username": "u", "password": password, "allow_writes": true,
			})
			require.NoError(t, err)
			c := &connection{t, open(t, settings, dial)}
			_, err = c.query("SELECT 1")
			require.Error(t, err)
			require.Error(t, c.call("DB_WRITE", map[string]string{"statement": "DELETE FROM t"}, nil))
			said := rogue.heard()
			require.NotEmpty(t, said, "it was asked")
			require.NotContains(t, said, secret)
			require.NotContains(t, said, password)
		})
	}
}

func TestTLSIsNotGivenUp(t *testing.T) {
	t.Parallel()
	d := mariadb.New(t)
	for _, mode := range []string{"require", "verify-ca", "verify-full"} {
		rogue := &rogueServer{}
		rogue.start(t)
		settings := settingsOf(t, d, d.Reader(), map[string]any{"ssl": true, "ssl_mode": mode, "port": rogue.port})
		e := failure(t, open(t, settings, dial).Test(t.Context()))
		require.Equal(t, "the server does not offer encrypted connections", e.Reason)
		require.Empty(t, rogue.heard(), "nothing is said in clear")
	}
}

func TestTLSModes(t *testing.T) {
	t.Parallel()
	d := mariadb.New(t)
	a := d.Reader()
	other := httptest.NewTLSServer(nil)
	t.Cleanup(other.Close)
	stranger := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: other.Certificate().Raw}))
	for name, test := range map[string]struct {
		settings  map[string]any
		encrypted bool
		reason    string
	}{
		"none":                       {map[string]any{}, false, ""},
		"required":                   {map[string]any{"ssl": true}, true, ""},
		"required, authority":        {map[string]any{"ssl": true, "ssl_ca": d.CA}, true, ""},
		"verify-ca":                  {map[string]any{"ssl_mode": "verify-ca", "ssl_ca": d.CA, "host": "localhost"}, true, ""},
		"verify-ca, of another":      {map[string]any{"ssl_mode": "verify-ca", "ssl_ca": stranger}, false, "not accepted"},
		"verify-full":                {map[string]any{"ssl_mode": "verify-full", "ssl_ca": d.CA}, true, ""},
		"verify-full, other name":    {map[string]any{"ssl_mode": "verify-full", "ssl_ca": d.CA, "host": "localhost"}, false, "not accepted"},
		"verify-full, of the system": {map[string]any{"ssl_mode": "verify-full"}, false, "not accepted"},
	} {
		c := &connection{t, open(t, settingsOf(t, d, a, test.settings), dialIPv4)}
		err := c.link.Test(t.Context())
		if test.reason != "" {
			require.Contains(t, failure(t, err).Reason, test.reason, name)
			continue
		}
		require.NoError(t, err, name)
		rows, err := c.query("SHOW STATUS LIKE 'Ssl_cipher'")
		require.NoError(t, err, name)
		require.Equal(t, test.encrypted, strings.Contains(rows, "TLS"), "%s: %s", name, rows)
	}
}

// dialIPv4 does not try localhost's other address first.
func dialIPv4(ctx context.Context, _, address string) (net.Conn, error) {
	return dial(ctx, "tcp4", address)
}

// What a server says in its errors names accounts and hosts, and it may say anything.
func TestErrorsOfServers(t *testing.T) {
	t.Parallel()
	d := mariadb.New(t)
	for refusal, reason := range map[string]string{
		"\x28\x04#42000You have an error":                                        "too old", // 1064: the settings are not known
		"\xa9\x04#HY000Unknown system variable 'transaction_read_only'":          "too old",
		"\xff\x7f#HY000Ask 'root'@'10.1.2.3'\x00\r\n" + strings.Repeat("x", 900): "the database refused: Ask the account",
	} {
		rogue := &rogueServer{refuse: refusal}
		rogue.start(t)
		e := failure(t, open(t, settingsOf(t, d, mariadb.Account{Username: "u", Password: "p"}, map[string]any{"port": rogue.port}), dial).Test(t.Context()))
		require.Contains(t, e.Reason, reason)
		require.NotContains(t, e.Reason, "10.1.2.3")
		require.Less(t, len(e.Reason), 400)
	}
}
