package npm

import (
	"github.com/Masterminds/semver/v3"

	"steward/internal/fault"
)

// CheckEngine compares the Node.js that a package asks for with the one it would get. A range that nobody can read
// is no reason to refuse it: the smoke test decides.
func CheckEngine(name, wanted, have string) error {
	if wanted == "" {
		return nil
	}
	allowed, err := semver.NewConstraint(wanted)
	if err != nil {
		return nil //nolint:nilerr // see above
	}
	version, err := semver.NewVersion(have)
	if err != nil || allowed.Check(version) {
		return nil //nolint:nilerr // a Node.js of somebody's own making
	}
	return fault.New(fault.Invalid, "%s needs Node.js %s; this server has %s", name, printable(wanted), have)
}

// printable is a foreign text as an error may show it.
func printable(text string) string {
	clean := make([]rune, 0, len(text))
	for _, r := range text {
		if r >= ' ' && r < 0x7f && len(clean) < 100 {
			clean = append(clean, r)
		}
	}
	return string(clean)
}
