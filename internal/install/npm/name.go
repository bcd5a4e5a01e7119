package npm

import (
	"regexp"
	"strings"

	"github.com/Masterminds/semver/v3"

	"steward/internal/fault"
)

// grammar is npm's for new packages (validate-npm-package-name), and no part begins with a dash: nothing that could
// be an option, a path, an address or an alias passes.
var grammar = regexp.MustCompile(`^(?:@[a-z0-9~][a-z0-9._~-]*/)?[a-z0-9~][a-z0-9._~-]*$`)

const maxName = 214

// CheckName refuses what is no name of a package, as Invalid at location.
func CheckName(location, name string) error {
	if len(name) > maxName || !grammar.MatchString(name) || name == "node_modules" || name == "favicon.ico" {
		return fault.InvalidField(location, "is not the name of an npm package, such as server-name or @scope/server-name")
	}
	return nil
}

// CheckVersion refuses what is not one exact version, as Invalid at location. "latest" is not one.
func CheckVersion(location, version string) error {
	if _, err := semver.StrictNewVersion(version); err != nil || len(version) > 100 || strings.HasPrefix(version, "v") {
		return fault.InvalidField(location, "is not one exact version, such as 1.2.3")
	}
	return nil
}
