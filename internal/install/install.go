// Package install keeps MCP servers that come as packages: it resolves, installs, tries, switches to and removes them,
// each version in a folder of its own. The API accepts changes (Service), a workflow carries them out through a
// worker's Installer, and the package's row says how far it is.
package install

import (
	"context"
	"errors"
	"log/slog"

	"go.temporal.io/sdk/client"

	"steward/internal/mcpclient"
	"steward/internal/registry"
	"steward/internal/secret"
	"steward/internal/store"
)

// Servers is the registry: what packages are installed for.
type Servers interface {
	// CheckInstall applies the registry's rules to what an admin wants to register, with locations in the body.
	CheckInstall(ctx context.Context, s registry.Server) error
	// PutInstalled registers an admin's server, or with an ID another version of it.
	PutInstalled(ctx context.Context, q *store.Queries, s registry.Server) (*store.MCPServer, error)
	// RemoveInstalled deletes a server and all that hangs on it.
	RemoveInstalled(ctx context.Context, q *store.Queries, id int64) error
	// Try starts s once, confined as later, with folder to read and, if it has an ID, with what is saved for it, and
	// lists its tools. Nothing is stored.
	Try(ctx context.Context, s registry.Server, folder string) ([]mcpclient.Tool, error)
}

// Service accepts changes of packages. Every call answers after its own commit; what has to reach Temporal is tried
// at once and otherwise by Reconcile.
type Service struct {
	db       *store.DB
	ring     *secret.Ring
	temporal client.Client
	servers  Servers
	log      *slog.Logger
}

// New checks its dependencies.
func New(db *store.DB, ring *secret.Ring, temporal client.Client, servers Servers, log *slog.Logger) (*Service, error) {
	if db == nil || ring == nil || temporal == nil || servers == nil || log == nil {
		return nil, errors.New("install: database, key ring, Temporal client, registry and logger are required")
	}
	return &Service{db: db, ring: ring, temporal: temporal, servers: servers, log: log}, nil
}

// States of a package's row.
const (
	Installing = "installing"
	Installed  = "installed"
	Upgrading  = "upgrading"
	Failed     = "failed" // it was never installed
	Removing   = "removing"
)

// Runtimes of a package.
const (
	Node   = "node"
	Python = "python"
	Remote = "remote" // a server at a URL: nothing is downloaded, nothing runs here
)

// Changing says that a change is under way.
func Changing(status string) bool {
	return status == Installing || status == Upgrading || status == Removing
}
