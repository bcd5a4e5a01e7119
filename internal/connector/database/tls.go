package database

import (
	"crypto/tls"
	"crypto/x509"
	"errors"

	"steward/internal/connector"
	"steward/internal/fault"
)

// How a connection is protected, in the words of PostgreSQL's sslmode.
const (
	ModeDisable    = "disable"
	ModeRequire    = "require"
	ModeVerifyCA   = "verify-ca"
	ModeVerifyFull = "verify-full"
)

// Mode is the mode that was chosen, or what the checkbox of seed 002 means without a choice.
func Mode(s connector.Settings) string {
	switch mode := s.Text(SSLMode); {
	case mode != "":
		return mode
	case !s.Ticked(SSL):
		return ModeDisable
	case s.Text(SSLCA) != "":
		return ModeVerifyFull
	default:
		return ModeRequire
	}
}

// TLS is how the connection to host is protected; nil: not at all.
func TLS(s connector.Settings, host string) *tls.Config {
	mode := Mode(s)
	if mode == ModeDisable {
		return nil
	}
	c := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if pem := s.Text(SSLCA); pem != "" {
		c.RootCAs = x509.NewCertPool()
		c.RootCAs.AppendCertsFromPEM([]byte(pem)) // checked when the form was read
	}
	switch mode {
	case ModeRequire:
		c.InsecureSkipVerify = true // what the user has chosen, as everywhere in the field
	case ModeVerifyCA:
		c.InsecureSkipVerify = true // the chain is verified below, the name is not
		c.VerifyConnection = verifyChain(c.RootCAs)
	}
	return c
}

func verifyChain(roots *x509.CertPool) func(tls.ConnectionState) error {
	return func(state tls.ConnectionState) error {
		if len(state.PeerCertificates) == 0 {
			return errors.New("the server has shown no certificate")
		}
		between := x509.NewCertPool()
		for _, c := range state.PeerCertificates[1:] {
			between.AddCert(c)
		}
		if _, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between}); err != nil {
			return &tls.CertificateVerificationError{UnverifiedCertificates: state.PeerCertificates, Err: err} // as the handshake's own
		}
		return nil
	}
}

func checkTLS(s connector.Settings) error {
	if s.Ticked(SSL) && s.Text(SSLMode) == ModeDisable {
		return fault.InvalidField("body."+SSLMode, "is disable, and SSL is required")
	}
	if s.Text(SSLCA) != "" && (Mode(s) == ModeDisable || Mode(s) == ModeRequire) {
		return fault.InvalidField("body."+SSLCA, "would not be used: tick SSL Required, and choose verify-ca or verify-full or no mode")
	}
	if pem := s.Text(SSLCA); pem != "" && !x509.NewCertPool().AppendCertsFromPEM([]byte(pem)) {
		return fault.InvalidField("body."+SSLCA, "holds no certificate in PEM")
	}
	return nil
}
