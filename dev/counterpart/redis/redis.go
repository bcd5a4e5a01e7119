// Package redis gives a test a private Redis server of its own. It holds everything in memory, starts in some 30 ms,
// and ends with the test, or with the test's process, however that ends.
//
//	server := redis.Start(t, redis.Options{})
//	server.Do("HSET", "user:1", "name", "Ann")
//	reader := server.Reader()      // an account that may only read
//	before := server.Digest()      // of every key, its value and its time to live
package redis

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	driver "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"steward/dev/counterpart"
	"steward/dev/stack/process"
)

// Host is where every server listens.
const Host = "127.0.0.1"

// Options of a server.
type Options struct {
	TLS bool // and nothing else; the certificate is for localhost and Host
}

// Server is a running Redis.
type Server struct {
	Port     int
	Password string // of the default account, which may do everything
	CA       string // in PEM, with Options.TLS

	t      testing.TB
	client *driver.Client
}

// Account is a user of the server.
type Account struct{ Username, Password string }

// Start starts a server that lives as long as the test.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	binary, err := exec.LookPath("redis-server")
	require.NoError(t, err, "run make deps")
	port, err := process.FreePort(t.Context(), 0)
	require.NoError(t, err)
	s := &Server{Port: port, Password: rand.Text(), t: t}
	dir := t.TempDir()
	// In a file, since every user of the machine can read the arguments of a process.
	lines := []string{"bind " + Host, `save ""`, "appendonly no", "dir " + dir, "requirepass " + s.Password}
	options := &driver.Options{Addr: s.Address(), Password: s.Password, MaxRetries: -1, DisableIdentity: true}
	if o.TLS {
		certificate, key, err := counterpart.Certify(Host, "localhost")
		require.NoError(t, err)
		s.CA = string(certificate)
		certificateFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
		require.NoError(t, os.WriteFile(certificateFile, certificate, 0o600))
		require.NoError(t, os.WriteFile(keyFile, key, 0o600))
		lines = append(lines, "tls-cert-file "+certificateFile, "tls-key-file "+keyFile, "tls-ca-cert-file "+certificateFile, "port 0", "tls-port "+strconv.Itoa(port), "tls-auth-clients no")
		pool := x509.NewCertPool()
		require.True(t, pool.AppendCertsFromPEM([]byte(s.CA)))
		options.TLSConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12, ServerName: Host}
	} else {
		lines = append(lines, "port "+strconv.Itoa(port))
	}
	config := filepath.Join(dir, "redis.conf")
	require.NoError(t, os.WriteFile(config, []byte(strings.Join(lines, "\n")), 0o600))
	child, err := process.Start(t.Context(), process.Config{
		Name: "Redis", Path: binary, Args: []string{config}, Log: slog.New(slog.DiscardHandler), Ready: s.accepts,
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 5*time.Second)
		defer cancel()
		_ = child.Stop(ctx) // what has to be killed is killed
	})
	s.client = driver.NewClient(options)
	t.Cleanup(func() { require.NoError(t, s.client.Close()) })
	return s
}

func (s *Server) accepts(ctx context.Context) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.Address())
	if err != nil {
		return err
	}
	return conn.Close()
}

// Address is host:port.
func (s *Server) Address() string { return net.JoinHostPort(Host, strconv.Itoa(s.Port)) }

// Do sends a command as the default account. It must succeed; what is not there is nil.
func (s *Server) Do(args ...any) any {
	s.t.Helper()
	value, err := s.client.Do(context.WithoutCancel(s.t.Context()), args...).Result()
	if errors.Is(err, driver.Nil) {
		return nil
	}
	require.NoError(s.t, err, "%v", args)
	return value
}

// Account makes an account with these rules of ACL SETUSER.
func (s *Server) Account(rules ...string) Account {
	s.t.Helper()
	a := Account{Username: strings.ToLower("u_" + rand.Text()[:8]), Password: rand.Text()}
	args := []any{"ACL", "SETUSER", a.Username, "on", ">" + a.Password}
	for _, rule := range rules {
		args = append(args, rule)
	}
	s.Do(args...)
	return a
}

// Reader is an account that may read every key and do nothing else.
func (s *Server) Reader() Account {
	return s.Account("~*", "resetchannels", "-@all", "+@read", "-@dangerous", "-@scripting", "-@blocking", "+ping", "+select")
}

// Digest is one of every key of the database, its value and its time to live.
func (s *Server) Digest() string {
	s.t.Helper()
	keys, ok := s.Do("KEYS", "*").([]any)
	require.True(s.t, ok)
	names := make([]string, 0, len(keys))
	for _, key := range keys {
		names = append(names, fmt.Sprint(key))
	}
	slices.Sort(names)
	sum := sha256.New()
	for _, name := range names {
		_, err := fmt.Fprintf(sum, "%q %q %v\n", name, s.Do("DUMP", name), s.Do("PEXPIRETIME", name))
		require.NoError(s.t, err)
	}
	return hex.EncodeToString(sum.Sum(nil))
}
