// Package database is what connectors to databases have in common: questions of their forms, how they are reached
// over TLS, and how rows become an answer of bounded size.
package database

import (
	"net"
	"regexp"
	"strconv"

	"steward/internal/connector"
	"steward/internal/fault"
)

// Names of fields, as in seed 002.
const (
	Host     = "host"
	Port     = "port"
	Name     = "database"
	Username = "username"
	Password = "password"
	SSL      = "ssl"
	SSLMode  = "ssl_mode"
	SSLCA    = "ssl_ca"
	Writes   = "allow_writes"
)

// host is a name or an address, and nothing that a driver could take for a path, an option, a list or a port: what has
// colons has two of them, as IPv6 does.
const host = `^([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|[0-9A-Fa-f]*:[0-9A-Fa-f.]*:[0-9A-Fa-f.:]*)$`

// HostField asks for the machine.
func HostField() connector.Field {
	return connector.Field{
		Name: Host, Label: "Host", Kind: connector.Line, Required: true, MaxLength: 253,
		Pattern: host, Wrong: "is not a host name or an address", Help: "Name or address of the server, without a port.",
	}
}

// PortField asks for the port.
func PortField(usual int) connector.Field {
	return connector.Field{Name: Port, Label: "Port", Kind: connector.Number, Default: usual, Least: 1, Most: 65535}
}

// TLSFields ask how the connection is protected; see TLS.
func TLSFields() []connector.Field {
	return []connector.Field{
		{
			Name: SSL, Label: "SSL Required", Kind: connector.Checkbox, Default: false,
			Help: "Encrypt the connection. What is checked beyond that, SSL Mode says.",
		},
		{
			Name: SSLMode, Label: "SSL Mode", Kind: connector.Select, Options: []string{ModeDisable, ModeRequire, ModeVerifyCA, ModeVerifyFull},
			Help: "disable; require: encrypted, the server's certificate is not checked; verify-ca: signed by a known authority; " +
				"verify-full: and made out to this host. Without a choice: verify-full where SSL is required and an authority is given, else require or disable.",
		},
		{
			Name: SSLCA, Label: "SSL Authority", Kind: connector.Text, MaxLength: 32 << 10,
			Help: "Certificates of the authorities to trust, in PEM; without them those of the system.",
		},
	}
}

// WritesField opens the tool that changes data.
func WritesField() connector.Field {
	return connector.Field{
		Name: Writes, Label: "Allow Writes", Kind: connector.Checkbox, Default: false,
		Help: "Offer a tool that changes data. Runs ask a person before they use it, unless they are started otherwise.",
	}
}

// Address is where to dial.
func Address(s connector.Settings) string {
	return net.JoinHostPort(s.Text(Host), strconv.Itoa(s.Number(Port)))
}

// Place is Address/database, for lists.
func Place(s connector.Settings) (string, error) {
	if err := checkTLS(s); err != nil {
		return "", err
	}
	place := Address(s)
	if name := s.Text(Name); name != "" {
		place += "/" + name
	}
	return place, nil
}

var safeHost = regexp.MustCompile(host)

// CheckHost refuses, at a field, a host that was not filled in by itself but stands in a connection string.
func CheckHost(field, name string) error {
	if !safeHost.MatchString(name) {
		return fault.InvalidField("body."+field, "names a host that is none")
	}
	return nil
}
