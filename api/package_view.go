package api

import (
	"time"

	"steward/internal/install"
	"steward/internal/store"
)

// Package is an MCP server's package, as it is installed. Paths are below the packages folder.
type Package struct {
	Name            string     `json:"name" doc:"The package." example:"@modelcontextprotocol/server-memory"`
	Version         string     `json:"version" doc:"The exact version that runs; empty until it is installed." example:"2026.8.31"`
	LatestVersion   string     `json:"latestVersion,omitempty" doc:"The newest that its index offers and that is old enough, as it was when somebody last asked." example:"2026.8.31"`
	UpdateAvailable bool       `json:"updateAvailable" doc:"Whether that is newer than what runs." example:"false"`
	InstallPath     string     `json:"installPath,omitempty" doc:"Its folder, below the packages folder." example:"memory/2026.8.31-7k3j2h5q"`
	VenvPath        string     `json:"venvPath,omitempty" doc:"Python: its virtual environment, the same folder." example:"python-mcp/1.0.0-7k3j2h5q"`
	Status          string     `json:"status" enum:"installing,installed,upgrading,failed,removing" doc:"failed: it was never installed; an upgrade that fails leaves what ran, and error says why." example:"installed"`
	Stage           string     `json:"stage,omitempty" enum:"accepted,resolving,installing,trying,switching,removing" doc:"How far a change is." example:"trying"`
	Error           string     `json:"error,omitempty" doc:"Why the last change did not come about."`
	Installed       *time.Time `json:"installed,omitempty" doc:"When it was installed first."`
	LastUpgraded    *time.Time `json:"lastUpgraded,omitempty" doc:"When its version was changed last."`
	MCPServerID     string     `json:"mcpServerId" doc:"The server that it is for, by name." example:"memory"`
	Enabled         bool       `json:"enabled" doc:"Whether that can be called." example:"true"`
	Runtime         string     `json:"runtime,omitempty" enum:"node,python" doc:"What runs it; left out for a server at a URL." example:"node"`
	PreviousVersion string     `json:"previousVersion,omitempty" doc:"The version before, whose files are kept until the next upgrade." example:"2026.7.4"`
	Integrity       string     `json:"integrity,omitempty" doc:"Digest over every file, compared before each start." example:"sha256-n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg="`
	ScriptsNotRun   []string   `json:"scriptsNotRun,omitempty" doc:"Packages that wanted to run something while they were installed, and did not get to." example:"[\"esbuild@0.25.0\"]"`
	LatestCheckedAt *time.Time `json:"latestCheckedAt,omitempty" doc:"When its index was asked last."`
}

func packageView(row *store.Package, enabled bool) Package {
	p := Package{
		Name: row.Name, Version: row.Version, LatestVersion: row.Latest, UpdateAvailable: install.Newer(row), InstallPath: row.Folder,
		Status: row.Status, Stage: row.Stage, Error: row.Error, Installed: row.InstalledAt, LastUpgraded: row.UpgradedAt, MCPServerID: row.ServerName,
		Enabled: enabled, Runtime: row.Runtime, PreviousVersion: row.Previous, Integrity: row.Integrity, ScriptsNotRun: row.Scripts, LatestCheckedAt: row.LatestAt,
	}
	if p.LastUpgraded == nil {
		p.LastUpgraded = row.InstalledAt
	}
	switch row.Runtime {
	case install.Python:
		p.VenvPath = p.InstallPath
	case install.Remote:
		p.Runtime = ""
	}
	return p
}

func examplePackage() Package {
	return Package{
		Name: "@modelcontextprotocol/server-memory", Version: "2026.8.31", LatestVersion: "2026.8.31", InstallPath: "memory/2026.8.31-7k3j2h5q",
		Status: "installed", Installed: after(0), LastUpgraded: after(0), MCPServerID: "memory", Enabled: true, Runtime: "node",
		Integrity: "sha256-n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=",
	}
}
