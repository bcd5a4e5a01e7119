package database_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/connector/database"
)

// selfSigned makes a certificate that is its own authority, made out to db.example.com.
func selfSigned(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"db.example.com"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// shake has a client and a server meet, and returns what the client thinks of it.
func shake(t *testing.T, client *tls.Config, server tls.Certificate) error {
	t.Helper()
	plain, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	listener := tls.NewListener(plain, &tls.Config{Certificates: []tls.Certificate{server}, MinVersion: tls.VersionTLS12})
	done := make(chan struct{})
	go func() {
		defer close(done)
		if conn, err := listener.Accept(); err == nil {
			_ = conn.(*tls.Conn).HandshakeContext(t.Context())
			_ = conn.Close()
		}
	}()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", listener.Addr().String())
	require.NoError(t, err)
	err = tls.Client(conn, client).HandshakeContext(t.Context())
	require.NoError(t, conn.Close())
	<-done
	require.NoError(t, listener.Close())
	return err
}

func TestTLS(t *testing.T) {
	t.Parallel()
	server, own := selfSigned(t)
	_, stranger := selfSigned(t)
	for name, tt := range map[string]struct {
		values map[string]any
		mode   string
		ok     bool
	}{
		"required":                    {map[string]any{"ssl": true}, database.ModeRequire, true},
		"required with an authority":  {map[string]any{"ssl": true, "ssl_ca": own}, database.ModeVerifyFull, true},
		"required, another authority": {map[string]any{"ssl": true, "ssl_ca": stranger}, database.ModeVerifyFull, false},
		"required, another host":      {map[string]any{"ssl": true, "ssl_ca": own, "host": "other.example.com"}, database.ModeVerifyFull, false},
		"verify-ca":                   {map[string]any{"ssl_mode": "verify-ca", "ssl_ca": own, "host": "other.example.com"}, database.ModeVerifyCA, true},
		"verify-ca, another":          {map[string]any{"ssl_mode": "verify-ca", "ssl_ca": stranger}, database.ModeVerifyCA, false},
		"verify-ca of the system":     {map[string]any{"ssl_mode": "verify-ca"}, database.ModeVerifyCA, false},
		"verify-full":                 {map[string]any{"ssl_mode": "verify-full", "ssl_ca": own}, database.ModeVerifyFull, true},
		"verify-full of the system":   {map[string]any{"ssl_mode": "verify-full"}, database.ModeVerifyFull, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			settings := filled(t, tt.values)
			_, err := database.Place(settings)
			require.NoError(t, err)
			require.Equal(t, tt.mode, database.Mode(settings))
			err = shake(t, database.TLS(settings, settings.Text("host")), server)
			require.Equal(t, tt.ok, err == nil, "%v", err)
		})
	}
	require.Nil(t, database.TLS(filled(t, map[string]any{}), "db.example.com"))
	require.Nil(t, database.TLS(filled(t, map[string]any{"ssl_mode": "disable"}), "db.example.com"))
}

func TestTLSSettingsThatContradictEachOther(t *testing.T) {
	t.Parallel()
	_, own := selfSigned(t)
	for location, all := range map[string][]map[string]any{
		"body.ssl_mode": {{"ssl": true, "ssl_mode": "disable"}},
		"body.ssl_ca":   {{"ssl_ca": own}, {"ssl": true, "ssl_mode": "require", "ssl_ca": own}, {"ssl": true, "ssl_ca": "no certificate"}},
	} {
		for _, values := range all {
			_, err := database.Place(filled(t, values))
			require.Equal(t, location, fields(t, err)[0].Location)
		}
	}
}
