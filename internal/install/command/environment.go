package command

import (
	"slices"
	"strings"

	"steward/internal/secret"
)

// network are variables that say how this machine reaches others; every package manager honours them.
var network = []string{
	"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE",
}

// Environment picks from environ, which is in os.Environ's form, what a package manager may know: how the network
// is reached and its own settings, the variables that begin with one of prefixes, in either case. More is put in
// front. Everything else of ours stays ours.
func Environment(environ, more []string, prefixes ...string) []string {
	out := slices.Clone(more)
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		upper := strings.ToUpper(name)
		if slices.Contains(network, upper) || slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(upper, p) }) {
			out = append(out, entry)
		}
	}
	return out
}

// variables is a written-out environment by name. Indexes in it may hold passwords.
func variables(environ []string) map[string]secret.String {
	out := make(map[string]secret.String, len(environ))
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		out[name] = secret.New(value)
	}
	return out
}

// Lookup finds a variable in environ, "" if it is not there.
func Lookup(environ []string, name string) string {
	for _, entry := range environ {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value
		}
	}
	return ""
}
