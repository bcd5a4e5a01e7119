package install

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"steward/internal/fault"
	"steward/internal/install/npm"
	"steward/internal/install/python"
	"steward/internal/secret"
	"steward/internal/store"
)

// Installer carries out changes, stage by stage. Every stage may be repeated: an attempt that died leaves at most a
// folder that no row names, and Sweep removes those.
type Installer struct {
	db      *store.DB
	ring    *secret.Ring
	servers Servers
	npm     *npm.Tool
	python  *python.Tool
	opts    Options
	log     *slog.Logger
}

// Options are the operator's settings.
type Options struct {
	Folder  string        // where packages are, shared by the processes that call their servers
	Data    string        // our data folder, where servers keep what is to stay
	Node    string        // Node.js, a path or a name
	Python  string        // Python, a path or a name
	MinAge  time.Duration // how old a release must be to be picked by itself
	Environ []string      // of the process, as os.Environ: package managers get their own settings from it
}

// NewInstaller checks its dependencies. Nothing is looked for on the machine yet.
func NewInstaller(db *store.DB, ring *secret.Ring, servers Servers, o Options, log *slog.Logger) (*Installer, error) {
	if db == nil || ring == nil || servers == nil || log == nil {
		return nil, errors.New("install: database, key ring, registry and logger are required")
	}
	if o.Folder == "" || o.Data == "" || o.MinAge < 0 {
		return nil, errors.New("install: packages folder and data folder are required, and no negative age")
	}
	folder, err := filepath.Abs(o.Folder)
	if err != nil {
		return nil, fmt.Errorf("packages folder: %w", err)
	}
	o.Folder = folder
	i := &Installer{db: db, ring: ring, servers: servers, opts: o, log: log}
	if i.npm, err = npm.New(o.Node, o.Environ); err != nil {
		return nil, err
	}
	i.python, err = python.New(o.Python, o.Environ)
	return i, err
}

// Hold is the claim of one workflow on one package.
type Hold struct {
	Package  int64
	Workflow string
}

// errLost ends a stage of a change that no longer has its package.
var errLost = fault.New(fault.NotFound, "the change has lost its package: another one has begun").WithCode("package_lost")

// held reads the package if the change still has it.
func (i *Installer) held(ctx context.Context, h Hold) (*store.Package, error) {
	row, err := i.db.GetPackage(ctx, h.Package)
	if store.IsNoRows(err) {
		return nil, errLost
	}
	if err != nil {
		return nil, fmt.Errorf("read package: %w", err)
	}
	if row.WorkflowID != h.Workflow || !Changing(row.Status) {
		return nil, errLost
	}
	return row, nil
}

// reach tells people how far the change is, and finds out whether it may go on.
func (i *Installer) reach(ctx context.Context, h Hold, stage string) (*store.Package, error) {
	n, err := i.db.SetPackageStage(ctx, store.SetPackageStageParams{ID: h.Package, WorkflowID: h.Workflow, Stage: stage})
	if err != nil {
		return nil, fmt.Errorf("set stage: %w", err)
	}
	if n == 0 {
		return nil, errLost
	}
	return i.held(ctx, h)
}

// scratch makes a folder that is thrown away: the HOME of package managers, with their caches.
func scratch() (folder string, remove func(), err error) {
	folder, err = os.MkdirTemp("", "steward-install-")
	if err != nil {
		return "", nil, fmt.Errorf("make scratch folder: %w", err)
	}
	return folder, func() { _ = os.RemoveAll(folder) }, nil // what stays behind is in the system's temporary folder
}
