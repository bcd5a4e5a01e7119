package install

import (
	"github.com/Masterminds/semver/v3"

	"steward/internal/store"
)

// Newer says that the index offers a newer version of a package than runs. A version that somebody has named may be
// newer than what is old enough.
func Newer(row *store.Package) bool {
	if row.Latest == "" || row.Version == "" || row.Latest == row.Version {
		return false
	}
	offered, err := semver.NewVersion(row.Latest)
	if err != nil {
		return true // Python knows versions that are not comparable this way; another one is offered
	}
	runs, err := semver.NewVersion(row.Version)
	return err != nil || offered.GreaterThan(runs)
}
