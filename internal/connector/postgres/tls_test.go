package postgres_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// certificateHost is whom the server's certificate is made out to. It is reached by a dialler that knows where it is.
const certificateHost = "db.example.com"

// authority signs certificates.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	pem         string
}

func newAuthority() (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test Authority"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	return &authority{certificate, key, encode("CERTIFICATE", der)}, err
}

func encode(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// issue makes a server's certificate and key.
func (a *authority) issue(host string) (certificate, key string, err error) {
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: []string{host}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &own.PublicKey, a.key)
	if err != nil {
		return "", "", err
	}
	secret, err := x509.MarshalECPrivateKey(own)
	return encode("CERTIFICATE", der), encode("EC PRIVATE KEY", secret), err
}

// protected is the authority that has signed the cluster's certificate, which the cluster has from now on. The server
// writes the files itself: they must be its user's own.
var protected = sync.OnceValues(func() (*authority, error) {
	s, err := cluster()
	if err != nil {
		return nil, err
	}
	ca, err := newAuthority()
	if err != nil {
		return nil, err
	}
	certificate, key, err := ca.issue(certificateHost)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.AdminURL("postgres").Reveal())
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close(ctx) }()
	for _, sql := range []string{
		fmt.Sprintf("COPY (SELECT unnest(string_to_array('%s', E'\\n'))) TO PROGRAM 'umask 077 && cat > server.crt'", certificate),
		fmt.Sprintf("COPY (SELECT unnest(string_to_array('%s', E'\\n'))) TO PROGRAM 'umask 077 && cat > server.key'", key),
		"ALTER SYSTEM SET ssl = on", "SELECT pg_reload_conf()",
	} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return nil, err
		}
	}
	return ca, nil
})

// redirected dials the cluster whatever the name is.
func redirected(t *testing.T) func(context.Context, string, string) (net.Conn, error) {
	host, port := address(t)
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		return plainDial(ctx, network, net.JoinHostPort(host, port))
	}
}

func TestTLSModes(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	ca, err := protected()
	require.NoError(t, err)
	stranger, err := newAuthority()
	require.NoError(t, err)
	const here, elsewhere = certificateHost, "other.example.com"
	form := p.form(reader)
	encrypted := func(t *testing.T, host string, settings map[string]any) (string, error) {
		t.Helper()
		settings["host"] = host
		got, err := query(t, open(t, maps.Clone(form), redirected(t), settings), "SELECT ssl::text FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
		if err != nil {
			return "", err
		}
		return got.Rows[0]["ssl"].(string), nil
	}
	require.Eventually(t, func() bool { // the server has read its settings again
		got, err := encrypted(t, here, map[string]any{"ssl": true})
		return err == nil && got == "true"
	}, 20*time.Second, 20*time.Millisecond)
	for _, tt := range []struct {
		name, host string
		settings   map[string]any
		want       string // true and false: encrypted or not; else why it is refused
	}{
		{"no settings", here, map[string]any{}, "false"},
		{"disable", here, map[string]any{"ssl_mode": "disable"}, "false"},
		{"required", elsewhere, map[string]any{"ssl": true}, "true"},
		{"require", elsewhere, map[string]any{"ssl_mode": "require"}, "true"},
		{"verify-ca", elsewhere, map[string]any{"ssl_mode": "verify-ca", "ssl_ca": ca.pem}, "true"},
		{"verify-ca of a stranger", here, map[string]any{"ssl_mode": "verify-ca", "ssl_ca": stranger.pem}, "trusted authority"},
		{"verify-ca of the system", here, map[string]any{"ssl_mode": "verify-ca"}, "trusted authority"},
		{"verify-full", here, map[string]any{"ssl_mode": "verify-full", "ssl_ca": ca.pem}, "true"},
		{"verify-full without a choice", here, map[string]any{"ssl": true, "ssl_ca": stranger.pem + ca.pem}, "true"},
		{"verify-full of a stranger", here, map[string]any{"ssl_mode": "verify-full", "ssl_ca": stranger.pem}, "trusted authority"},
		{"verify-full elsewhere", elsewhere, map[string]any{"ssl_mode": "verify-full", "ssl_ca": ca.pem}, "another host"},
		{"verify-full without a choice elsewhere", elsewhere, map[string]any{"ssl": true, "ssl_ca": ca.pem}, "another host"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := encrypted(t, tt.host, tt.settings)
			if tt.want == "true" || tt.want == "false" {
				require.NoError(t, err)
				require.Equal(t, tt.want, got)
				return
			}
			require.Contains(t, failure(t, err).Reason, tt.want)
		})
	}
}

// A server, or somebody in between, that says it knows no TLS gets nothing where TLS is required: neither the name nor
// the password leaves.
func TestNoTLSIsNoReasonToGoOnWithout(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	heard := make(chan []byte, 4)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				close(heard)
				return
			}
			request := make([]byte, 8) // SSLRequest, PostgreSQL documentation §54.7
			_, _ = io.ReadFull(conn, request)
			_, _ = conn.Write([]byte("N"))
			rest, _ := io.ReadAll(conn)
			heard <- rest
			_ = conn.Close()
		}
	}()
	filled := map[string]any{
		"host": "127.0.0.1", "port": listener.Addr().(*net.TCPAddr).Port, "database": "d", "username": "canary", "password": "canary", "ssl": true,
	}
	link := open(t, filled, plainDial)
	require.False(t, failure(t, link.Test(t.Context())).Answered)
	require.NoError(t, listener.Close())
	connections := 0
	for rest := range heard {
		connections++
		require.Empty(t, rest)
	}
	require.Equal(t, 1, connections)
}
