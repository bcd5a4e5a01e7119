package python

import (
	"net/url"
	"regexp"
	"strings"

	"steward/internal/fault"
	"steward/internal/secret"
)

var (
	// nameGrammar is that of the core metadata (PyPA, "Name"): no option, path, address, extra or marker passes.
	nameGrammar = regexp.MustCompile(`^(?:[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9._-]*[A-Za-z0-9])$`)
	// versionGrammar is that of a public version identifier in normal form (PEP 440), with a local part.
	versionGrammar = regexp.MustCompile(`^(?:[0-9]+!)?[0-9]+(?:\.[0-9]+)*(?:(?:a|b|rc)[0-9]+)?(?:\.post[0-9]+)?(?:\.dev[0-9]+)?(?:\+[a-z0-9]+(?:[._-][a-z0-9]+)*)?$`)
	// moduleGrammar is a dotted name, or the name of a console script.
	moduleGrammar = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)
)

const (
	maxName = 128
	maxURL  = 2048
)

// CheckName refuses what is no name of a package, as Invalid at location.
func CheckName(location, name string) error {
	if len(name) > maxName || !nameGrammar.MatchString(name) {
		return fault.InvalidField(location, "is not the name of a Python package, such as mcp-server")
	}
	return nil
}

// CheckVersion refuses what is not one exact version, as Invalid at location. "latest" is not one.
func CheckVersion(location, version string) error {
	if len(version) > maxName || !versionGrammar.MatchString(version) {
		return fault.InvalidField(location, "is not one exact version, such as 1.2.3")
	}
	return nil
}

// CheckModule refuses what is neither a module nor a console script, as Invalid at location.
func CheckModule(location, module string) error {
	if len(module) > maxName || !moduleGrammar.MatchString(module) || strings.Contains(module, "..") || strings.HasSuffix(module, ".") {
		return fault.InvalidField(location, "is not the name of a Python module, such as mcp_server")
	}
	return nil
}

// CheckIndex refuses what is no address of a package index, as Invalid at location. The address is never repeated:
// it may hold a password.
func CheckIndex(location string, address secret.String) error {
	if address.IsZero() {
		return nil
	}
	text := address.Reveal()
	u, err := url.Parse(text)
	// pip splits an extra index at white space.
	if err != nil || len(text) > maxURL || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.Fragment != "" ||
		strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return fault.InvalidField(location, "is not the http or https address of a package index")
	}
	return nil
}
