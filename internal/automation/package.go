package automation

import "time"

// Names of the workflows of packages, and of their activities.
const (
	WorkflowPackageChange = "PackageChange" // installs, upgrades or removes one package
	WorkflowPackageCheck  = "PackageCheck"  // asks the indexes for newer versions

	ActivityResolvePackage = "ResolvePackage"
	ActivityBuildPackage   = "BuildPackage"
	ActivityTryPackage     = "TryPackage"
	ActivitySwitchPackage  = "SwitchPackage"
	ActivityRemovePackage  = "RemovePackage"
	ActivityFailPackage    = "FailPackage"
	ActivityCheckPackage   = "CheckPackage"
)

// PackageAction is what happens to a package.
type PackageAction string

// The actions.
const (
	PackageInstall PackageAction = "install"
	PackageUpgrade PackageAction = "upgrade"
	PackageRemove  PackageAction = "remove"
)

// PackageInput begins a change. What was asked for is in the package's row.
type PackageInput struct {
	PackageID int64         `json:"package_id,omitempty"`
	Action    PackageAction `json:"action,omitempty"`
	Version   string        `json:"version,omitempty"` // exact, as somebody named it; empty: what the index calls latest
}

// PackageRelease is a version as it was resolved, once.
type PackageRelease struct {
	Version string    `json:"version,omitempty"` // exact; empty for a server that runs elsewhere
	Before  time.Time `json:"before,omitzero"`   // what else is resolved was published before this
}

// PackageBuild asks for a release to be put into a folder.
type PackageBuild struct {
	PackageID int64          `json:"package_id,omitempty"`
	Release   PackageRelease `json:"release,omitzero"`
}

// PackageBuilt is a filled folder that nothing runs from yet.
type PackageBuilt struct {
	PackageID int64    `json:"package_id,omitempty"`
	Version   string   `json:"version,omitempty"`
	Folder    string   `json:"folder,omitempty"` // below the packages folder
	Entry     []string `json:"entry,omitempty"`
	Integrity string   `json:"integrity,omitempty"`
	Scripts   []string `json:"scripts,omitempty"` // whose lifecycle scripts were not run
}

// PackageFailure ends a change that did not come about.
type PackageFailure struct {
	PackageID int64  `json:"package_id,omitempty"`
	Code      string `json:"code,omitempty"`
	Message   string `json:"message,omitempty"` // for people
}

// PackageCheckInput names packages to look up.
type PackageCheckInput struct {
	PackageIDs []int64 `json:"package_ids,omitempty"`
}
